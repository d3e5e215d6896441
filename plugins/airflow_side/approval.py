"""A person decides which model becomes `champion`: asked in Airflow's UI, with the figures, before anything moves."""

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk.exceptions import AirflowSkipException

from airflow_side.flow import Flow
from airflow_side.operator import StageOperator
from airflow_side.outcome import failures_for_airflow
from airflow_side.settings import read_settings
from contract.failures import BadInput
from contract.recipe import Finetune
from contract.steps import Step

if TYPE_CHECKING:
    from airflow.sdk import Context

APPROVE = "approve"


class PersonsWord(ApprovalOperator):
    """Waits for a person's word, outside of any worker; without an answer in time it is a rejection, with a warning.

    An answer may be asked for twice. A task that goes on before Airflow 3.3's scheduler has heard that its first
    process has ended, within a second or so, is taken for one that was killed; the next try starts with the question,
    since a task cannot read an answer that was given to an earlier try. Nothing is ever approved that nobody approved.
    """

    unanswered: str

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(defaults=self.REJECT, retry_delay=timedelta(seconds=5), **kwargs)

    def execute_complete(self, context: "Context", event: dict[str, Any]) -> Any:
        """Go on with the answer; whoever gave it is in the log and in the XCom."""
        if event.get("timedout"):
            self.log.warning("%s", self.unanswered)
        elif not event.get("error"):
            self.log.info("%s by %s", *event["chosen_options"], person(event))
        return super().execute_complete(context, event)


class Approval(PersonsWord):
    """Asks whether the model just registered becomes `champion`, where the run's `register.champion` is `approval`.

    Approved, the task succeeds and `promote` follows; rejected, `promote` is skipped and the model stays `challenger`;
    without an answer within `approval_hours` it is the same as rejected, with a warning. With any other
    `register.champion`, or where nothing was registered, it is skipped and says why.
    """

    unanswered = "Nobody answered in time: the model stays challenger, and champion stays where it is"

    def __init__(self, *, flow: Flow, **kwargs: Any) -> None:
        super().__init__(
            task_id=APPROVE,
            subject=f"Make this {flow.recipe.name} model the champion?",
            doc_md="Asks a person, where `register.champion` is `approval`.",
            **kwargs,
        )
        self.flow = flow

    def execute(self, context: "Context") -> Any:
        """Put the question, and wait outside of any worker."""
        with failures_for_airflow("fail"):
            chosen = self.flow.chosen(context["params"])
        assert isinstance(chosen, Finetune)
        decides = chosen.register_model.champion
        if decides != "approval":
            raise AirflowSkipException(f"nobody is asked: `register.champion` is {decides}")
        registered = context["ti"].xcom_pull(task_ids="register")
        if "version" not in registered["metrics"]:
            raise AirflowSkipException("nobody is asked: without a tracking server nothing was registered")
        self.body = question(registered, context["ti"].xcom_pull(task_ids="evaluate"), chosen.approval_hours)
        self.response_timeout = timedelta(hours=chosen.approval_hours)
        return super().execute(context)


class Promotion(StageOperator):
    """`register` once more, in the name of the person who approved: it moves `champion` and notes who said so."""

    def _step(self, context: "Context") -> Step:
        step = super()._step(context)
        answer = context["ti"].xcom_pull(task_ids=APPROVE) or {}
        if not answer.get("responded_by_user"):
            raise BadInput("nobody has approved this model", where=self.task_id, hint=f"clear the task {APPROVE}")
        return dataclasses.replace(step, config=step.config.model_copy(update={"approved_by": person(answer)}))


def person(answer: Mapping[str, Any]) -> str:
    """The name of whoever answered."""
    user = answer.get("responded_by_user") or {}
    return str(user.get("name") or user.get("id") or "somebody")


def question(registered: Mapping[str, Any], evaluated: Mapping[str, Any], hours: float) -> str:
    """What there is to know before answering, as Markdown: losses, gate, and where to look closer."""
    model, figures = registered["metrics"], evaluated["metrics"]
    settings = read_settings()
    pages = [link for link in (registered["links"].get("mlflow_model"), evaluated["links"].get("mlflow_run")) if link]
    shown = [link.replace(settings.mlflow_uri, settings.mlflow_ui) if settings.mlflow_uri else link for link in pages]
    return "\n".join(
        [
            f"**{model['model']}**, version {model['version']}, is trained and registered. Approve it, and it becomes "
            "`champion`, the model that is served; reject it, and the champion stays what it is.",
            "",
            "| | loss (nats per token) |",
            "|---|---|",
            f"| base model | {figures['base_loss']:.4f} |",
            f"| this model | {figures['tuned_loss']:.4f} |",
            "",
            f"The gate: **{model.get('gate', figures['gate'])}**.",
            *(["", f"{model['judged']}"] if "judged" in model else []),
            *(f"- {link}" for link in shown),
            "",
            f"Without an answer within {hours:g} hours it counts as rejected.",
        ]
    )
