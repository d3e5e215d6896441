"""Buttons on a task's page: its dataset, its report, its run in MLflow.

Airflow asks for them in the worker when the task ends, and keeps what they say.
"""

from typing import TYPE_CHECKING, Any

import attrs
from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow_side.operator import StageOperator

REPORT = "report.html"


@attrs.define()
class DatasetLink(BaseOperatorLink):
    """The page of the dataset that the task wrote."""

    name = "Dataset"

    def get_link(self, operator: "StageOperator", *, ti_key: Any) -> str:  # type: ignore[override]
        """The page's address, relative to Airflow's own."""
        return operator.page


@attrs.define()
class ReportLink(BaseOperatorLink):
    """The report that `explore` wrote, and `publish` ships."""

    name = "Report"

    def get_link(self, operator: "StageOperator", *, ti_key: Any) -> str:  # type: ignore[override]
        """The report's address, relative to Airflow's own."""
        is_report = operator.page and operator.stage_name in ("explore", "publish")
        return f"{operator.page}/files/{REPORT}" if is_report else ""


@attrs.define()
class MlflowLink(BaseOperatorLink):
    """The run in MLflow that the task wrote, or the model version that it registered."""

    name = "MLflow"

    def get_link(self, operator: "StageOperator", *, ti_key: Any) -> str:  # type: ignore[override]
        """The page, as a browser reaches it."""
        return operator.mlflow_page
