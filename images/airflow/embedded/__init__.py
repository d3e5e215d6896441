"""Nocturne on one machine without containers: its environments, an embedded Airflow and MLflow, the demo."""
