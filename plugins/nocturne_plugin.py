"""What Airflow loads: the pages of `airflow_side`, a place in the navigation, tabs beside a task's logs and for a run.

The only file here that Airflow's plugin loader may execute: it runs every module that it finds under the name of its
file, so `.airflowignore` keeps it out of `airflow_side/`.
"""

from airflow.plugins_manager import AirflowPlugin

from airflow_side.links import DatasetLink, MlflowLink, ReportLink
from airflow_side.pages.app import app


class NocturnePlugin(AirflowPlugin):
    """Datasets in the Airflow UI."""

    name = "nocturne"
    fastapi_apps = [{"app": app, "url_prefix": "/nocturne", "name": "Nocturne datasets"}]
    external_views = [
        {"name": "Datasets", "href": "nocturne/", "destination": "nav", "category": "browse", "url_route": "datasets"},
        {
            "name": "Dataset",
            "href": "nocturne/_task?dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}",
            "destination": "task_instance",
            "url_route": "dataset",
        },
        {
            "name": "Rows and spend",
            "href": "nocturne/_run?dag_id={DAG_ID}&run_id={RUN_ID}",
            "destination": "dag_run",
            "url_route": "spend",
        },
    ]
    operator_extra_links = [DatasetLink(), ReportLink(), MlflowLink()]
