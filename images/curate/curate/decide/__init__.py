"""Read what reviewers decided."""
