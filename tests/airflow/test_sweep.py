"""Learning rates that one run asks for: how trainings are dealt out to the training tasks that a recipe has."""

from types import SimpleNamespace

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSkipException, ParamValidationError

from airflow_side.dag import dag_arguments, stage_task
from airflow_side.flow import finetune_flow
from airflow_side.form import trigger_form
from airflow_side.operator import StageOperator
from airflow_side.training import OPERATORS
from contract.recipe import Recipe


def flow_of(*rates):
    recipe = {"name": "trial", "ingest": {"sources": [{"uri": "raw"}]}, "finetune": {"learning_rates": list(rates)}}
    return finetune_flow(Recipe.model_validate(recipe))


class Ran:
    """Runs the training tasks of a recipe, and `choose` where it has one; notes what each was to run on."""

    def __init__(self, flow, **params):
        self.notes, self.xcoms, self.skipped = [], {}, []
        with DAG(**dag_arguments(flow, "")):
            self.tasks = {
                step.name: stage_task(flow, step, OPERATORS.get(step.stage.name, StageOperator))
                for step in flow.steps()
            }
        trainings = [name for name in self.tasks if name.startswith("train")]
        if "choose" in self.tasks:
            self.tasks["choose"].set_upstream([self.tasks[name] for name in trainings])
        for name in ("dataset", "plan"):
            self.xcoms[name, "return_value"] = {"uri": f"at:{name}"}
        for name in [*trainings, *(["choose"] if "choose" in self.tasks else []), "evaluate"]:
            self.run(name, params)

    def run(self, name, params):
        task = self.tasks[name]
        ti = SimpleNamespace(
            dag_id="d",
            run_id="r",
            task_id=name,
            map_index=-1,
            try_number=1,
            xcom_pull=lambda task_ids, key="return_value": self.xcoms.get((task_ids, key)),
            xcom_push=lambda key, value: self.xcoms.update({(name, key): value}),
        )
        object.__setattr__(task, "_choose_runner", lambda _: SimpleNamespace(run=self.note))
        try:
            self.xcoms[name, "return_value"] = task.execute({"ti": ti, "params": params, "outlet_events": {}})
        except AirflowSkipException:
            self.skipped.append(name)

    def note(self, spec, _):
        stage, config = spec.arguments[0], spec.arguments[2]
        inputs = [value for flag, value in zip(spec.arguments, spec.arguments[1:], strict=False) if flag == "--input"]
        self.notes.append((stage, config, inputs))
        key = f"{len(self.notes):020x}"
        result = f'{{"uri": "file:///store/trial/{stage}/{key}", "content_hash": "ab", "rows": 0, "dropped": 0}}'
        return SimpleNamespace(exit_code=0, result=result.encode(), out_of_memory=False)

    @property
    def stages(self):
        return [stage for stage, _, _ in self.notes]


@pytest.mark.parametrize(
    ("recipe", "asked", "trainings", "skipped"),
    [
        ((), None, 1, []),
        ((), [0.1, 0.2, 0.3], 3, []),
        ((), [0.1], 1, []),
        ((0.1, 0.2), None, 2, []),
        ((0.1, 0.2), [0.3, 0.4, 0.5], 3, []),
        ((0.1, 0.2, 0.3), [0.5, 0.6], 2, ["train_3"]),
        ((0.1, 0.2), [], 1, ["train_2"]),
    ],
)
def test_every_rate_is_trained_once_and_evaluated_is_what_was_chosen(recipe, asked, trainings, skipped):
    ran = Ran(flow_of(*recipe), **({} if asked is None else {"learning_rates": asked}))
    choices = [inputs for stage, _, inputs in ran.notes if stage == "choose"]
    made = [f"file:///store/trial/train/{n:020x}" for n, (stage, _, _) in enumerate(ran.notes, 1) if stage == "train"]
    assert (len(made), ran.skipped) == (trainings, skipped)
    assert len(choices) == bool(trainings > 1 or recipe)
    for candidates in choices:
        assert sorted(candidates) == sorted(f"candidates={uri}" for uri in made)
    (evaluated,) = (dict(one.split("=", 1) for one in inputs) for stage, _, inputs in ran.notes if stage == "evaluate")
    assert evaluated["train"].split("/")[-2] == ("choose" if choices else "train")
    assert evaluated["samples"] == "at:dataset"


def test_the_form_takes_a_list_of_rates_and_nothing_else():
    field = trigger_form(flow_of(0.1, 0.2))["learning_rates"]
    assert field.value == [0.1, 0.2]
    assert field.resolve([0.5]) == [0.5]
    assert trigger_form(flow_of())["learning_rates"].resolve() is None
    assert flow_of(0.1, 0.2).steps({"learning_rates": None}) == flow_of().steps()
    for wrong in ([2], [0], "0.1", ["high"], [0.1] * 17):
        with pytest.raises(ParamValidationError):
            field.resolve(wrong)
