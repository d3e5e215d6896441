"""Loops over the bytes of texts and over hashes, compiled by numba; imported only where they run."""
