"""Rewrite instructions into harder and rarer ones, answer them, compare answers."""
