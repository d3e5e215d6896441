"""Texts as vectors whose cosine says how alike they are in meaning."""
