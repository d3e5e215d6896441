"""Toy clean."""
