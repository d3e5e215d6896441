"""export: merge and prove that nothing changed."""
