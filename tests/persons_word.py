"""What Airflow gives to a task that asks a person, and what it makes of the answer."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.models.hitl import HITLDetail, HITLUser

VERA = HITLUser(id="7", name="vera")


def context(task: Any, returned: dict[str, Any], **params: Any) -> dict[str, Any]:
    """What a task runs with, after others `returned` something."""
    ti = SimpleNamespace(
        id="1", map_index=-1, xcom_pull=lambda task_ids: returned.get(task_ids), xcom_push=lambda **_: 0
    )
    return {"ti": ti, "task_instance": ti, "task": task, "params": params}


def answered(chosen: str, by: HITLUser | None = VERA, timedout: bool = False) -> dict[str, Any]:
    """The event that Airflow makes of an answer in its database."""
    detail = HITLDetail(options=["Approve", "Reject"], chosen_options=[chosen], params_input={})
    detail.responded_at, detail.responded_by = datetime.now(UTC), by
    return dict(detail.as_resume_event_payload(timedout=timedout))
