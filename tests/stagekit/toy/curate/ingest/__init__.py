"""Toy ingest."""
