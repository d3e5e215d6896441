"""Stages that turn raw documents into clean, distinct, uncontaminated datasets."""
