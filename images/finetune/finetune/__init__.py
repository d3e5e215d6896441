"""Stages that plan, train, evaluate, export and register a model."""
