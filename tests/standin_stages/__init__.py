"""A stand-in for the image's own package."""
