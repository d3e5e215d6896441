"""The Airflow side of Nocturne: operator, runners, links, pages."""
