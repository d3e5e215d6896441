"""What every DAG of the house must have, and what a person may set when triggering one."""

import shutil
import time
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import ParamValidationError

from airflow_side.flow import finetune_flow, overlay, read_recipes, refresh_flow
from airflow_side.form import FIXED, trigger_form
from contract.config.base import Config
from contract.failures import BadConfig

DAGS = Path(__file__).resolve().parents[2] / "dags"
PARSE_SECONDS = 1.0  # of CPU, all files; they take a third of it


@pytest.fixture(scope="module")
def bag():
    return DagBag(str(DAGS))


@pytest.fixture(scope="module")
def recipes():
    return {recipe.name: recipe for recipe in read_recipes(DAGS / "recipes")[0]}


def test_every_recipe_has_its_dags_and_nothing_is_broken(bag, recipes):
    assert bag.import_errors == {}
    wanted = {f"refresh_{name}" for name in recipes} | {f"finetune_{name}" for name, r in recipes.items() if r.finetune}
    assert set(bag.dags) == wanted
    assert {"demo", "llm_twin"} <= set(recipes)


def test_broken_recipe_is_named_and_stops_no_other(tmp_path):
    shutil.copytree(DAGS, tmp_path / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    recipe = tmp_path / "dags" / "recipes" / "llm_twin.yaml"
    recipe.write_text(recipe.read_text().replace("pairs: ", "pears: ", 1))
    bag = DagBag(str(tmp_path / "dags"))
    (shown,) = bag.import_errors.values()
    assert "llm_twin.yaml" in shown
    assert "pears" in shown
    assert set(bag.dags) == {"refresh_demo", "finetune_demo"}


def test_policy(bag):
    for dag in bag.dags.values():
        assert {"nocturne", dag.dag_id.split("_", 1)[1]} <= dag.tags
        assert dag.doc_md
        assert "| step |" in dag.doc_md
        assert (dag.max_active_runs, dag.catchup, dag.start_date) == (1, False, None)
        for task in dag.tasks:
            assert task.owner != "airflow"
            assert task.retries >= 1
            assert task.retry_exponential_backoff
            assert task.doc_md
        for name in dag.params:
            param = dag.params.get_param(name)
            assert "type" in param.schema, name
            assert param.schema.get("description_md") or param.description, name


def test_parsing_is_quick_and_asks_nobody(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a DAG file opened a connection while it was read")

    monkeypatch.setattr("socket.socket.connect", refuse)
    began = time.process_time()
    assert DagBag(str(DAGS)).import_errors == {}
    assert time.process_time() - began < PARSE_SECONDS


def test_the_order_of_the_house(bag):
    chain = bag.dags["refresh_llm_twin"].topological_sort()
    names = "ingest clean filter deduplicate decontaminate chunk instruct select_filter select_deduplicate"
    assert [task.task_id for task in chain] == [*names.split(), "select_decontaminate", "mix", "explore", "publish"]
    tuned = bag.dags["finetune_llm_twin"]
    assert tuned.task_dict["train"].downstream_task_ids == {"evaluate", "export"}
    assert tuned.task_dict["register"].upstream_task_ids == {"evaluate", "export"}


def test_a_sweep_is_a_task_for_each_rate_and_one_that_chooses(tmp_path):
    dags = shutil.copytree(DAGS, tmp_path / "dags")
    path = dags / "recipes/demo.yaml"
    recipe = yaml.safe_load(path.read_text())
    recipe["finetune"]["learning_rates"] = [0.001, 0.01, 0.1]
    path.write_text(yaml.safe_dump(recipe))
    tasks = DagBag(str(dags)).dags["finetune_demo"].task_dict
    trainings = {"train_1", "train_2", "train_3"}
    assert tasks["plan"].downstream_task_ids == tasks["choose"].upstream_task_ids == trainings
    assert tasks["choose"].downstream_task_ids == {"evaluate", "export"}
    assert tasks["register"].upstream_task_ids == {"evaluate", "export"}


def test_a_judge_of_answers_stands_before_the_export(tmp_path):
    dags = shutil.copytree(DAGS, tmp_path / "dags")
    path = dags / "recipes/demo.yaml"
    recipe = yaml.safe_load(path.read_text())
    recipe["finetune"]["judge"] = {"model": "a-judge", "budget": {"money": 1.0}}
    path.write_text(yaml.safe_dump(recipe))
    tasks = DagBag(str(dags)).dags["finetune_demo"].task_dict
    after = {name: tasks[name].downstream_task_ids for name in ("train", "evaluate", "judge_answers", "export")}
    assert after == {
        "train": {"evaluate"},
        "evaluate": {"judge_answers"},
        "judge_answers": {"export"},
        "export": {"register"},
    }
    (changed,) = [one for one in read_recipes(dags / "recipes")[0] if one.name == "demo"]
    flow = finetune_flow(changed)
    form = trigger_form(flow)
    assert (form["judge.model"].value, form["judge.budget.money"].value) == ("a-judge", 1.0)
    assert flow.steps({path: param.resolve() for path, param in form.items()}) == flow.steps()
    assert flow.step("judge_answers", {"judge.model": "another"}).config.model == "another"


def test_publishing_starts_the_fine_tuning(bag):
    (asset,) = bag.dags["refresh_demo"].task_dict["publish"].outlets
    assert asset.name == "demo"
    condition = bag.dags["finetune_demo"].timetable.asset_condition
    assert [(found.name, found.uri) for found in condition.objects] == [("demo", asset.uri)]


def test_gpu_stages_share_a_pool_where_there_is_a_gpu(monkeypatch):
    monkeypatch.setenv("NOCTURNE_GPU", "1")
    tasks = DagBag(str(DAGS)).dags["finetune_llm_twin"].task_dict
    assert {name for name, task in tasks.items() if task.pool == "gpu"} == {"plan", "train", "evaluate", "export"}
    assert tasks["train"].pool_slots == 1, "a container gets all GPUs, so a slot is all of them"
    monkeypatch.setenv("NOCTURNE_GPU", "0")
    assert {task.pool for task in DagBag(str(DAGS)).dags["finetune_llm_twin"].tasks} == {"default_pool"}


def scalars(config, prefix=""):
    """Every scalar of a configuration by dotted path, found without the form's own code."""
    for name, value in config.model_dump(mode="json", by_alias=True).items():
        inner = getattr(config, name, None)
        if isinstance(inner, Config) or (name == "register" and hasattr(config, "register_model")):
            yield from scalars(inner if isinstance(inner, Config) else config.register_model, f"{prefix}{name}.")
        elif not isinstance(value, list | dict):
            yield f"{prefix}{name}", value


@pytest.mark.parametrize("name", ["demo", "llm_twin"])
def test_form_has_every_scalar_with_the_recipes_value(recipes, name):
    for flow in (refresh_flow(recipes[name]), finetune_flow(recipes[name])):
        fixed = tuple(f"{field}." for field in FIXED)
        wanted = {path: value for path, value in scalars(flow.root) if path not in FIXED and not path.startswith(fixed)}
        form = trigger_form(flow)
        missing = {path for path in wanted if path not in form and wanted[path] is not None}
        assert missing == set()
        assert {path: form[path].value for path in wanted if path in form} == {
            p: None if wanted[p] == "" else wanted[p] for p in wanted if p in form
        }


@pytest.mark.parametrize("name", ["demo", "llm_twin"])
def test_an_untouched_form_can_be_sent_and_changes_nothing(recipes, name):
    """The UI lets nobody trigger a run while a field that may not be null is null or an empty text."""
    for flow in (refresh_flow(recipes[name]), finetune_flow(recipes[name])):
        form = trigger_form(flow)
        blocked = [path for path, param in form.items() if param.value in (None, "") and "null" not in _types(param)]
        assert blocked == []
        assert flow.steps({path: param.resolve() for path, param in form.items()}) == flow.steps()


def _types(param):
    kinds = param.schema["type"]
    return [kinds] if isinstance(kinds, str) else kinds


def test_form_is_typed_and_essential_fields_come_first(recipes):
    form = trigger_form(refresh_flow(recipes["llm_twin"]))
    first = ["limits.money", "limits.tokens", "instruct.provider", "instruct.model", "instruct.base_url"]
    assert list(form)[:5] == first
    assert "section" not in form["instruct.pairs"].schema
    assert form["instruct.temperature"].schema["section"] == "instruct"
    assert form["instruct.provider"].schema["enum"] == ["extractive", "openai"]
    assert form["limits.money"].schema["type"] == ["null", "number"]
    for name, wrong in {
        "instruct.pairs": 51,
        "limits.money": -1,
        "chunk.strategy": "pages",
        "filter.audit": "yes",
    }.items():
        with pytest.raises(ParamValidationError):
            form[name].resolve(wrong)


def test_form_values_change_what_steps_are_given(recipes):
    flow = refresh_flow(recipes["llm_twin"])
    steps = {step.name: step for step in flow.steps({"limits.money": 0.5, "select.deduplicate.threshold": 0.9})}
    assert steps["instruct"].config.limits.money == 0.5
    assert steps["select_deduplicate"].config.threshold == 0.9
    assert steps["deduplicate"].config.threshold == recipes["llm_twin"].deduplicate.threshold
    tuned = {step.name: step for step in finetune_flow(recipes["llm_twin"]).steps({"training.learning_rate": 0.01})}
    assert tuned["plan"].config.training.learning_rate == tuned["train"].config.training.learning_rate == 0.01


def test_overlay_checks_what_fields_mean_together(recipes):
    with pytest.raises(BadConfig, match=r"minimum 1500 is above maximum 1200"):
        overlay(recipes["demo"], {"chunk.minimum": 1500}, "the form")


def test_limits_become_timeouts(bag, recipes):
    minutes = recipes["llm_twin"].limits.minutes
    assert bag.dags["refresh_llm_twin"].dagrun_timeout == timedelta(minutes=minutes)
    assert bag.dags["refresh_demo"].dagrun_timeout is None
    assert all(task.execution_timeout for task in bag.dags["refresh_demo"].tasks)
