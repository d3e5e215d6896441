"""plan: sizes, template and mask before money is spent."""
