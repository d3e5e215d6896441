"""Pairs without a model: instructions from titles, headings and key phrases, answers from the passages themselves."""
