"""clean: repair and normalise text."""
