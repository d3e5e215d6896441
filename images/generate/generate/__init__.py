"""Stages that talk to a language model."""
