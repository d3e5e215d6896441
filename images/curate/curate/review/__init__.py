"""Apply what people decided about samples, and draw those to be looked at next."""
