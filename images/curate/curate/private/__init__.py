"""Personal data and secrets in text: found by pure functions, replaced by typed placeholders."""
