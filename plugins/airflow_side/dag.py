"""What every DAG of the house has in common, and one task for each step."""

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, CronTriggerTimetable

from airflow_side.flow import Flow
from airflow_side.operator import StageOperator
from airflow_side.settings import read_settings
from contract.recipe import Finetune, Recipe
from contract.steps import Step

GPU_POOL = "gpu"
RETRIES = {
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
}


def dag_arguments(flow: Flow, manual: str) -> dict[str, Any]:
    """Arguments of a DAG. `manual` is its file's docstring; the recipe's own steps are added to it."""
    recipe = flow.recipe
    return {
        "dag_id": flow.dag_id,
        "dag_display_name": f"{flow.dag_id} – {recipe.title}" if recipe.title else flow.dag_id,
        "description": recipe.title or f"recipe {recipe.name}",
        "doc_md": f"{manual}\n\n{steps_table(flow)}",
        "catchup": False,
        "max_active_runs": 1,
        "dagrun_timeout": longest_run(flow),
        "default_args": {"owner": recipe.owner, **RETRIES},
        "tags": ["nocturne", recipe.name],
    }


def longest_run(flow: Flow) -> timedelta | None:
    """The recipe's limit; a run that may wait for a person's approval has that time on top of it."""
    recipe = flow.recipe
    if recipe.limits.minutes is None:
        return None
    waiting = flow.root.approval_hours if isinstance(flow.root, Finetune) else recipe.publish_approval_hours
    return timedelta(minutes=recipe.limits.minutes) + timedelta(hours=waiting or 0)


def nightly(recipe: Recipe) -> CronTriggerTimetable | None:
    """The recipe's schedule, in UTC.

    The first run is the next one due: without a start date and with no patience for the last one missed, taking the DAG
    out of its pause starts nothing (and spends nothing) by itself.
    """
    if recipe.schedule is None:
        return None
    return CronTriggerTimetable(recipe.schedule, timezone="UTC", run_immediately=timedelta(0))


def published(recipe: Recipe) -> Asset:
    """The dataset of a recipe: each new version is an event, which starts the fine-tuning."""
    return Asset(name=recipe.name, uri=str(read_settings().store.child(recipe.name, "publish")), group="nocturne")


def stage_task(flow: Flow, step: Step, operator: type[StageOperator] = StageOperator, **kwargs: Any) -> StageOperator:
    """The task of one step. Stages that want a GPU wait for the pool `gpu` where the machine has one.

    A training of several processes takes one slot like any other: its container gets all GPUs, as each of them does, so
    a slot stands for the machine's GPUs together. Taking as many slots as processes would wait for ever in that pool.
    """
    resources = step.stage.resources
    pool = {"pool": GPU_POOL} if resources.gpu and read_settings().gpu else {}
    return operator(
        flow=flow,
        step=step,
        doc_md=step.stage.doc,
        execution_timeout=timedelta(minutes=resources.minutes),
        **pool,
        **kwargs,
    )


def steps_table(flow: Flow) -> str:
    """The recipe's steps as a Markdown table."""
    head = "| step | image | what it does | CPUs | memory |\n|---|---|---|---|---|\n"
    return head + "\n".join(
        f"| {step.name} | {step.stage.image} | {step.stage.doc} "
        f"| {step.stage.resources.cpus:g} | {step.stage.resources.memory_gb:g} GB |"
        for step in flow.steps()
    )
