"""Scores of samples by language models, and how far they can be trusted."""
