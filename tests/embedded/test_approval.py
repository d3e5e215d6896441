"""A person's word, in Airflow itself: scheduler, server, and UI in a real browser; only the stages are stand-ins.

What stages do with the answer is tried where there is a model registry, in tests/finetune/test_whole_way.py.
"""

import dataclasses
import json

import pytest

from browser import chromium, signed_in
from embedded.airflow_api import AirflowAnswer
from standin_airflow import DAG, REFRESH, standin_airflow

pytestmark = pytest.mark.slow
ASK = {"register.champion": "approval"}


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    with standin_airflow(tmp_path_factory.mktemp("airflow")) as running:
        yield running


def approved_by(airflow):
    """In whose name `register` was run, each time; nobody's where it says nothing."""
    return [json.loads(config)["approved_by"] for config in airflow.told("register")]


def test_a_click_on_approve_makes_the_champion_in_that_persons_name(airflow):
    if not chromium():
        pytest.skip("no Chromium on the path")
    before = approved_by(airflow)
    run = airflow.trigger("clicked", **ASK)
    airflow.until_asked(run)
    assert approved_by(airflow) == [*before, ""], "registered, and nothing moved until somebody answers"
    stack = airflow.stack
    with signed_in(stack.ports.airflow_url, stack.password) as page:
        page.goto(f"{stack.ports.airflow_url}/dags/{DAG}/runs/{run}/tasks/approve/required_actions")
        page.get_by_text("Make this demo model the champion?").first.wait_for()
        for shown in ("demo", "version 1", "3.5000", "2.2500", "passed", "Without an answer within"):
            assert page.get_by_text(shown).count(), shown
        page.get_by_role("button", name="Approve", exact=True).click()
        page.get_by_text("admin").first.wait_for()
    state, tasks = airflow.ended(run)
    assert (state, tasks["approve"], tasks["promote"]) == ("success", "success", "success")
    assert approved_by(airflow) == [*before, "", "admin"]


def test_a_rejection_by_a_program_leaves_the_model_challenger_and_the_run_well(airflow):
    before = approved_by(airflow)
    run = airflow.trigger("rejected", **ASK)
    airflow.until_asked(run)
    with pytest.raises(AirflowAnswer, match=r"400.*Invalid options"):
        airflow.answer(run, "Maybe")
    airflow.answer(run, "Reject")
    state, tasks = airflow.ended(run)
    assert (state, tasks["approve"], tasks["promote"]) == ("success", "success", "skipped")
    assert approved_by(airflow) == [*before, ""]
    with pytest.raises(AirflowAnswer, match="409"):
        airflow.answer(run, "Approve")


def test_an_answer_that_airflow_loses_is_asked_for_again_and_approves_nothing(airflow):
    """Airflow 3.3.2 takes a task that goes on at once after its answer for one that was killed, and tries it again."""
    before = approved_by(airflow)
    run = airflow.trigger("late", **ASK)
    first = airflow.until_asked(run, heard=False)
    airflow.answer(run, "Approve")
    assert airflow.until_asked(run, after=first) > first
    assert approved_by(airflow) == [*before, ""]
    airflow.answer(run, "Approve")
    state, tasks = airflow.ended(run)
    assert (state, tasks["promote"]) == ("success", "success")
    assert approved_by(airflow) == [*before, "", "admin"]


def test_a_sweep_starts_from_the_values_of_one_run(airflow):
    """The recipe trains once: its training task then runs all, and chooses."""
    before = {stage: len(airflow.told(stage)) for stage in ("train", "choose", "evaluate")}
    run = airflow.trigger("sweep", learning_rates=[0.001, 0.01, 0.1])
    state, tasks = airflow.ended(run)
    assert (state, tasks["train"], tasks["evaluate"]) == ("success", "success", "success")
    trained = [json.loads(config)["training"] for config in airflow.told("train")[before["train"] :]]
    assert [training["learning_rate"] for training in trained] == [0.001, 0.01, 0.1]
    assert len(airflow.told("choose")) == before["choose"] + 1
    with pytest.raises(AirflowAnswer, match="400"):
        airflow.trigger("steep", learning_rates=[2])


def test_a_new_version_waits_for_a_person_who_may_refuse_it(airflow):
    """Last, since a version that is published starts a fine-tuning by itself."""
    refresh = dataclasses.replace(airflow, dag=REFRESH)
    run = refresh.trigger("refused")
    refresh.until_asked(run)
    assert refresh.told("explore")
    refresh.answer(run, "Reject")
    state, tasks = refresh.ended(run)
    assert (state, tasks["approve"], tasks["publish"]) == ("success", "success", "skipped")
    assert refresh.told("publish") == []


def test_a_click_on_approve_publishes_it(airflow):
    if not chromium():
        pytest.skip("no Chromium on the path")
    refresh = dataclasses.replace(airflow, dag=REFRESH)
    run = refresh.trigger("published")
    refresh.until_asked(run)
    stack = refresh.stack
    with signed_in(stack.ports.airflow_url, stack.password) as page:
        page.goto(f"{stack.ports.airflow_url}/dags/{REFRESH}/runs/{run}/tasks/approve/required_actions")
        page.get_by_text("Publish this version of demo?").first.wait_for()
        for shown in ("0 samples", "version 1 has 2", "what would be published", "Without an answer within 2 hours"):
            assert page.get_by_text(shown).count(), shown
        page.get_by_role("button", name="Approve", exact=True).click()
        page.get_by_text("admin").first.wait_for()
    state, tasks = refresh.ended(run)
    assert (state, tasks["approve"], tasks["publish"]) == ("success", "success", "success")
    assert len(refresh.told("publish")) == 1
