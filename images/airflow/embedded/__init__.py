"""Nocturne on one machine without containers: its virtual environments, an embedded Airflow and MLflow, and the demo."""
