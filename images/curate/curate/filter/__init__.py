"""filter: rows that pass every rule."""
