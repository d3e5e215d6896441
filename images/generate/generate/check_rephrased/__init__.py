"""A model's word on rows that may rephrase a benchmark item."""
