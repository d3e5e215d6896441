"""Stands in for the image `curate` where a test is about how a stage ends, not about what it does."""
