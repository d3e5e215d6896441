"""Who becomes champion by a person's word: what is asked, and what follows from each answer and from none."""

from datetime import timedelta

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSkipException, DownstreamTasksSkipped, TaskAwaitingInput
from pydantic import ValidationError

from airflow_side.approval import Approval, Promotion
from airflow_side.dag import dag_arguments, stage_task
from airflow_side.flow import finetune_flow
from airflow_side.outcome import StageFailed
from contract.recipe import Recipe
from contract.steps import PROMOTE
from persons_word import answered, context

FIGURES = {"base_loss": 3.5, "tuned_loss": 2.25, "gate": "failed"}
RETURNED = {
    "register": {"metrics": {"model": "trial", "version": 7}, "links": {"mlflow_model": "http://mlflow/#/models/7"}},
    "evaluate": {"metrics": FIGURES, "links": {"mlflow_run": "http://mlflow/#/runs/1"}},
}


def flow_of(champion="approval", **finetune):
    section = {"register": {"champion": champion}} | finetune
    recipe = {"name": "trial", "ingest": {"sources": [{"uri": "raw"}]}, "finetune": section}
    return finetune_flow(Recipe.model_validate(recipe))


def tasks_of(flow):
    with DAG(**dag_arguments(flow, "")):
        approve, promote = Approval(flow=flow), stage_task(flow, flow.steps()[-1], Promotion)
        approve >> promote
    return approve, promote


def test_a_person_sees_the_figures_and_the_task_waits_as_long_as_the_recipe_says(asked):
    approve, _ = tasks_of(flow_of(approval_hours=5))
    with pytest.raises(TaskAwaitingInput) as waits:
        approve.execute(context(approve, RETURNED))
    assert waits.value.timeout == timedelta(hours=5)
    assert asked["options"] == ["Approve", "Reject"]
    assert asked["defaults"] == ["Reject"], "whoever does not answer has not approved"
    for shown in ("**trial**, version 7", "3.5000", "2.2500", "**failed**", "http://mlflow/#/models/7", "5 hours"):
        assert shown in asked["body"]


def test_a_person_sees_what_a_judge_said_and_the_gates_last_word(asked):
    said = {"gate": "passed", "judged": "a-judge: helpful: 7 won, 2 tied, 1 lost"}
    registered = RETURNED["register"] | {"metrics": RETURNED["register"]["metrics"] | said}
    approve, _ = tasks_of(flow_of())
    with pytest.raises(TaskAwaitingInput):
        approve.execute(context(approve, RETURNED | {"register": registered}))
    assert "7 won, 2 tied, 1 lost" in asked["body"]
    assert "The gate: **passed**." in asked["body"]


@pytest.mark.parametrize("champion", ["gate", "never"])
def test_nobody_is_asked_where_nobody_is_to_decide(asked, champion):
    approve, _ = tasks_of(flow_of(champion))
    with pytest.raises(AirflowSkipException, match=f"`register.champion` is {champion}"):
        approve.execute(context(approve, RETURNED))
    assert asked == {}


def test_the_form_of_one_run_decides_who_is_asked(asked):
    approve, _ = tasks_of(flow_of("gate"))
    with pytest.raises(TaskAwaitingInput) as waits:
        approve.execute(context(approve, RETURNED, **{"register.champion": "approval", "approval_hours": 0.5}))
    assert waits.value.timeout == timedelta(minutes=30)


def test_nobody_is_asked_about_a_model_that_is_not_registered(asked):
    approve, _ = tasks_of(flow_of())
    with pytest.raises(AirflowSkipException, match="nothing was registered"):
        approve.execute(context(approve, RETURNED | {"register": {"metrics": {}, "links": {}}}))


def test_approved_the_model_is_registered_in_that_persons_name():
    flow = flow_of()
    approve, promote = tasks_of(flow)
    answer = approve.execute_complete(context(approve, RETURNED), answered("Approve"))
    step = promote._step(context(promote, RETURNED | {"approve": answer}))
    assert (step.name, step.stage.name, step.config.approved_by) == (PROMOTE, "register", "vera")
    assert step.config.model_copy(update={"approved_by": ""}) == flow.step("register", {}).config


@pytest.mark.parametrize("chosen", [answered("Reject"), answered("Reject", by=None, timedout=True)])
def test_rejected_or_unanswered_nothing_moves_and_it_is_said(chosen, capsys):
    approve, _ = tasks_of(flow_of())
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        approve.execute_complete(context(approve, RETURNED), chosen)
    assert skipped.value.tasks == [PROMOTE]
    assert ("stays challenger" if chosen["timedout"] else "Reject by vera") in capsys.readouterr().out


def test_without_an_answer_promote_refuses_to_run():
    _, promote = tasks_of(flow_of())
    with pytest.raises(StageFailed, match="nobody has approved"):
        promote.execute(context(promote, RETURNED))


def test_a_recipe_approves_nothing_by_itself():
    with pytest.raises(ValidationError, match=r"approved_by is 'me'; expected nothing"):
        flow_of(register={"champion": "approval", "approved_by": "me"})


def test_waiting_for_a_person_is_not_counted_as_running():
    recipe = flow_of(approval_hours=2).recipe
    limited = recipe.model_copy(update={"limits": recipe.limits.model_copy(update={"minutes": 30})})
    assert dag_arguments(finetune_flow(limited), "")["dagrun_timeout"] == timedelta(hours=2, minutes=30)
