"""Rows that say what an item says in other words: candidates by the company of rare words, then a second look."""
