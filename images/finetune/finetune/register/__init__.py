"""register: a version in MLflow with its lineage."""
