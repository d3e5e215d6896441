"""evaluate: the tuned model against its base."""
