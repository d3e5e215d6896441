"""The configuration of every stage: one small frozen class each, a sentence with unit and range for every field."""
