"""Pages inside the Airflow UI: which datasets there are, and everything about one."""
