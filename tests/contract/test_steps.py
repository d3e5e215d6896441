"""The order of the house holds together: every input is fed by an earlier step with rows of a kind it takes."""

import pytest

from contract.recipe import Recipe
from contract.records import Sample
from contract.stages import STAGES
from contract.steps import DATASET, Step, finetune_steps, refresh_steps

SOURCES = {"name": "trial", "ingest": {"sources": [{"uri": "raw"}]}}
RECIPES = {
    "defaults": {},
    "shortest": {
        "filter": None,
        "deduplicate": None,
        "decontaminate": None,
        "select": {"filter": None, "deduplicate": None, "decontaminate": None},
    },
    "longest": {
        "decontaminate": {"benchmarks": [{"name": "exam", "uri": "exam.jsonl", "fields": ["question"]}]},
        "mix": {"datasets": [{"name": "general", "uri": "general.jsonl"}]},
    },
}


def check_wiring(steps: tuple[Step, ...], rows_of: dict[str, type | None]) -> None:
    """Every input names an earlier step, every port that must be fed is, and row types fit."""
    for step in steps:
        for name, feeders in step.inputs.items():
            port = step.stage.port(name)
            assert port, f"{step.name} feeds a port {name!r} that {step.stage.name} does not have"
            assert port.many or len(feeders) == 1
            for feeder in feeders:
                assert feeder in rows_of, f"{step.name} reads {feeder}, which does not come before it"
                assert not port.records or rows_of[feeder] in port.records
        needed = {port.name for port in step.stage.inputs if not (port.optional or port.many)}
        assert needed <= set(step.inputs), f"{step.name} lacks an input"
        first = next(iter(step.inputs.values()), ("",))[0]
        rows_of[step.name] = rows_of[first] if step.stage.output == "same" else step.stage.output


@pytest.mark.parametrize("changes", RECIPES.values(), ids=RECIPES)
def test_the_refresh_is_wired(changes):
    steps = refresh_steps(Recipe.model_validate(SOURCES | changes))
    check_wiring(steps, {})
    assert (steps[0].name, steps[-1].name) == ("ingest", "publish")
    assert len({step.name for step in steps}) == len(steps)


def test_the_finetuning_is_wired():
    recipe = Recipe.model_validate(SOURCES)
    assert recipe.finetune
    check_wiring(finetune_steps(recipe.finetune), {DATASET: Sample})


def test_every_stage_has_its_place():
    recipe = Recipe.model_validate(SOURCES | RECIPES["longest"])
    assert recipe.finetune
    used = {step.stage.name for step in refresh_steps(recipe) + finetune_steps(recipe.finetune)}
    assert used == {stage.name for stage in STAGES}


def test_benchmarks_of_documents_hold_for_conversations_too():
    steps = {step.name: step for step in refresh_steps(Recipe.model_validate(SOURCES | RECIPES["longest"]))}
    assert steps["select_decontaminate"].config.benchmarks == steps["decontaminate"].config.benchmarks
    assert steps["select_decontaminate"].config.field == "conversation"
