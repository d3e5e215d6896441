"""The order of the house holds together: every input is fed by an earlier step with rows of a kind it takes."""

import pytest

from contract.recipe import Recipe
from contract.records import Sample
from contract.stages import STAGES
from contract.steps import DATASET, Step, finetune_steps, refresh_steps
from every_field import fields_of

SOURCES = {"name": "trial", "ingest": {"sources": [{"uri": "raw"}]}}
EVOLVE = {"compare": {"answerers": [{"model": "a"}, {"model": "b"}], "judge": {"model": "c"}}}
EXAM = {"benchmarks": [{"name": "exam", "uri": "exam.jsonl", "fields": ["question"]}]}
JUDGED = {"judge": {"model": "a-judge"}}
RECIPES = {
    "defaults": {},
    "shortest": {
        "filter": None,
        "deduplicate": None,
        "decontaminate": None,
        "select": {"filter": None, "deduplicate": None, "decontaminate": None},
    },
    "longest": {
        "evolve": EVOLVE,
        "decontaminate": EXAM | {"rephrased": {"check": 0.5}},
        "check_rephrased": {},
        "judge": {},
        "mix": {"datasets": [{"name": "general", "uri": "general.jsonl"}]},
        "rate": {"model": "models/rewards"},
        "decide": {"sources": [{"uri": "raw/reviews"}]},
        "learn_quality": {"score": "rate"},
        "review": {},
        "finetune": JUDGED,
    },
    "reviewed without a mix": {"decide": {}, "review": {}},
    "reviewed on the page alone": {"review": {}},
    "learnt from the page": {"review": {}, "learn_quality": {"labels": "decisions"}},
    "judged beside people": {"decide": {}, "judge": {}},
    "pairs judged": {"decide": {}, "review": {}, "judge": {"method": "pairwise", "opponent": {"model": "m"}}},
    "learnt from people": {"decide": {}, "learn_quality": {"labels": "decisions"}},
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


def test_a_judge_of_answers_stands_between_evaluate_and_what_tells_of_it():
    recipe = Recipe.model_validate(SOURCES | {"finetune": JUDGED, "limits": {"money": 2.5}})
    steps = finetune_steps(recipe.finetune, recipe.limits)
    check_wiring(steps, {DATASET: Sample})
    by_name = {step.name: step for step in steps}
    assert list(by_name) == ["plan", "train", "evaluate", "judge_answers", "export", "register", "promote"]
    judge = by_name["judge_answers"]
    assert (judge.stage.name, judge.config.method, judge.config.limits.money) == ("judge", "pairwise", 2.5)
    assert judge.inputs == {"rows": ("evaluate",), "opponents": ("evaluate",), "references": (DATASET,)}
    told = {name for name, step in by_name.items() if step.inputs.get("judge") == ("judge_answers",)}
    assert told == {"export", "register", "promote"}


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"register": {"min_win_rate": 0.5}}, "min_win_rate is 0.5 but no `judge`"),
        (JUDGED | {"evaluate": {"generations": 0}}, "generations is 0: no answers"),
        (JUDGED | {"training": {"template": "text"}}, "nobody is asked anything"),
        ({"judge": {"opponents_by": ["few_shot"]}, "evaluate": {"few_shot": 0}}, "nobody to compare with"),
        ({"judge": {"method": "absolute"}}, "method"),
        ({"judge": {"opponents_by": []}}, "opponents_by"),
        ({"judge": {"limits": {"money": 1}}}, "finetune.judge.limits is set"),
    ],
)
def test_a_judge_of_answers_without_sense_is_refused(section, says):
    with pytest.raises(ValueError, match=says):
        Recipe.model_validate(SOURCES | {"finetune": section})


def test_a_sweep_trains_once_for_each_rate_and_goes_on_with_the_choice():
    recipe = Recipe.model_validate(SOURCES | {"finetune": {"learning_rates": [0.1, 0.01]}})
    steps = finetune_steps(recipe.finetune)
    check_wiring(steps, {DATASET: Sample})
    by_name = {step.name: step for step in steps}
    assert list(by_name) == ["plan", "train_1", "train_2", "choose", "evaluate", "export", "register", "promote"]
    assert [by_name[name].config.training.learning_rate for name in ("train_1", "train_2")] == [0.1, 0.01]
    assert by_name["choose"].inputs == {"candidates": ("train_1", "train_2")}
    assert {by_name[name].inputs["train"] for name in ("evaluate", "export", "register", "promote")} == {("choose",)}


def test_a_rate_given_twice_is_refused():
    with pytest.raises(ValueError, match=r"holds 0.1 more than once"):
        Recipe.model_validate(SOURCES | {"finetune": {"learning_rates": [0.1, 0.2, 0.1]}})


def test_every_stage_has_its_place():
    recipe = Recipe.model_validate(SOURCES | RECIPES["longest"])
    assert recipe.finetune
    sweep = recipe.finetune.model_copy(update={"learning_rates": [0.1, 0.01]})
    used = {step.stage.name for step in refresh_steps(recipe) + finetune_steps(sweep)}
    assert used == {stage.name for stage in STAGES}


def test_the_judge_sees_selected_samples_beside_their_chunks():
    steps = {step.name: step for step in refresh_steps(Recipe.model_validate(SOURCES | RECIPES["longest"]))}
    from_people = {"decisions": ("decide",)}
    assert steps["judge"].inputs == {"rows": ("select_check_rephrased",), "references": ("chunk",)} | from_people
    assert steps["rate"].inputs == {"rows": ("judge",)}
    assert steps["mix"].inputs == {"rows": ("review",)}, "samples of others are neither judged nor reviewed"


def test_what_people_decide_on_the_review_page_is_read_without_being_named():
    alone = {step.name: step for step in refresh_steps(Recipe.model_validate(SOURCES | {"review": {}}))}
    assert [source.uri for source in alone["decide"].config.sources] == ["trial/decisions"]
    assert alone["review"].inputs["decisions"] == ("decide",)
    assert alone["review"].inputs["references"] == ("chunk",), "so that people see what an answer was made from"
    beside = {step.name: step for step in refresh_steps(Recipe.model_validate(SOURCES | RECIPES["longest"]))}
    assert [source.uri for source in beside["decide"].config.sources] == ["raw/reviews", "trial/decisions"]


def test_a_judge_of_pairs_is_not_held_against_what_people_said_of_single_answers():
    steps = {step.name: step for step in refresh_steps(Recipe.model_validate(SOURCES | RECIPES["pairs judged"]))}
    assert "decisions" not in steps["judge"].inputs
    assert steps["review"].inputs["decisions"] == ("decide",)


def test_benchmarks_of_documents_hold_for_conversations_too():
    steps = {step.name: step for step in refresh_steps(Recipe.model_validate(SOURCES | RECIPES["longest"]))}
    assert steps["select_decontaminate"].config.benchmarks == steps["decontaminate"].config.benchmarks
    assert steps["select_decontaminate"].config.field == "conversation"


def test_a_model_checks_what_either_pass_was_unsure_about():
    checked = [{"decontaminate": EXAM | {"rephrased": {"check": 0.5}}}, {"select": {"decontaminate": EXAM}}]
    checked[1]["decontaminate"] = checked[0]["decontaminate"]
    wired = []
    for changes in checked:
        steps = refresh_steps(Recipe.model_validate(SOURCES | changes | {"check_rephrased": {}}))
        check_wiring(steps, {})
        wired.append({step.name: step.inputs["rows"] for step in steps if step.stage.name == "check_rephrased"})
    of_documents = {"check_rephrased": ("decontaminate",)}
    assert wired == [of_documents | {"select_check_rephrased": ("select_decontaminate",)}, of_documents]


@pytest.mark.parametrize(
    "changes",
    [{}, {"decontaminate": None}, {"decontaminate": EXAM | {"rephrased": {}}}],
    ids=["no benchmarks", "no decontamination", "no pairs"],
)
def test_a_check_without_pairs_is_refused(changes):
    with pytest.raises(ValueError, match="nothing to check"):
        Recipe.model_validate(SOURCES | changes | {"check_rephrased": {}})


SEEDED = {"mode": "self_instruct", "provider": "openai", "self_instruct": {"seeds": {"uri": "s"}, "topics": ["a"]}}


def test_seed_tasks_need_no_documents():
    steps = refresh_steps(Recipe.model_validate({"name": "seeded", "instruct": SEEDED}))
    check_wiring(steps, {})
    assert [step.name for step in steps][:2] == ["instruct", "select_filter"]
    assert steps[0].inputs == {}


@pytest.mark.parametrize(
    ("recipe", "found"),
    [({}, "`ingest` is missing"), (SOURCES | {"instruct": SEEDED}, "`ingest` is set, but")],
    ids=["nothing to write about", "documents that nobody reads"],
)
def test_documents_and_mode_fit(recipe, found):
    with pytest.raises(ValueError, match=found):
        Recipe.model_validate({"name": "seeded"} | recipe)


def test_preferences_are_published_where_answers_are_compared():
    compared, plain = (refresh_steps(Recipe.model_validate(SOURCES | {"evolve": evolve})) for evolve in (EVOLVE, {}))
    assert compared[-1].inputs["preferences"] == ("evolve",)
    assert "preferences" not in plain[-1].inputs


RULES = {"benchmarks": [{"name": "other", "uri": "other.jsonl", "fields": ["question"]}]}
ASKING = "check_rephrased select_check_rephrased instruct evolve judge judge_answers"
CHANGES = {
    "ingest": ({"sources": [{"uri": "other"}]}, "ingest"),
    "clean": ({"mappers": ["plain"]}, "clean"),
    "filter": (None, "filter"),
    "deduplicate": (None, "deduplicate"),
    "decontaminate": (EXAM | {"rephrased": {"check": 0.6}}, "decontaminate select_decontaminate"),
    "check_rephrased": (None, "check_rephrased select_check_rephrased"),
    "chunk": ({"maximum": 3_000}, "chunk"),
    "instruct": ({"pairs": 2}, "instruct"),
    "evolve": (None, "evolve"),
    "select.filter": (None, "select_filter"),
    "select.deduplicate": (None, "select_deduplicate"),
    "select.decontaminate": (RULES, "select_decontaminate select_check_rephrased"),
    "judge": ({"drop_below": 2}, "judge"),
    "rate": (None, "rate"),
    "decide": ({"sources": []}, "decide"),
    "learn_quality": (None, "learn_quality"),
    "review": ({"sample": 5}, "review"),
    "mix": (None, "mix"),
    "explore": ({"examples": 1}, "explore"),
    "publish": ({"seed": 3}, "publish"),
    "limits.money": (1.5, ASKING),
    "limits.tokens": (1_000, ASKING),
    "limits.requests": (10, ASKING),
    "finetune.training": ({"epochs": 9}, "plan train"),
    "finetune.gpu": ("h200", "plan"),
    "finetune.gpu_memory_gb": (24, "plan"),
    "finetune.max_truncated": (0.5, "plan"),
    "finetune.allow": (["truncation"], "plan"),
    "finetune.probe": ("never", "plan"),
    "finetune.learning_rates": ([0.1], "train"),
    "finetune.eval_every": (5, "train"),
    "finetune.save_every": (20, "train"),
    "finetune.evaluate": ({"generations": 1}, "evaluate"),
    "finetune.judge": ({"model": "another-judge"}, "judge_answers"),
    "finetune.export": ({"dtype": "float32"}, "export"),
    "finetune.register": ({"champion": "never"}, "register promote"),
}
"""Part of a recipe -> another value, and the steps that differ for it. What is inside a stage's own part is up to the
stage's own tests."""
OF_THE_DAG = {
    *("name", "title", "owner", "schedule", "on_empty", "limits.minutes"),
    *("publish_approval_hours", "finetune.approval_hours"),
}
"""Fields that no step knows; tests/airflow shows what they do."""


def recipe_with(field: str = "", value: object = None) -> Recipe:
    plain = SOURCES | RECIPES["longest"]
    section, _, rest = field.partition(".")
    if field:
        plain |= {section: plain.get(section, {}) | {rest: value} if rest else value}
    return Recipe.model_validate(plain)


def all_steps(recipe: Recipe) -> dict[str, Step]:
    assert recipe.finetune
    steps = refresh_steps(recipe) + finetune_steps(recipe.finetune, recipe.limits)
    return {step.name: step for step in steps}


@pytest.mark.parametrize("field", CHANGES)
def test_each_part_of_a_recipe_changes_its_own_steps(field):
    value, names = CHANGES[field]
    before, after = all_steps(recipe_with()), all_steps(recipe_with(field, value))
    configs = [{name: step.config for name, step in steps.items()} for steps in (before, after)]
    differ = {name for name in before | after if configs[0].get(name) != configs[1].get(name)}
    assert differ == set(names.split())


def test_no_field_of_a_recipe_is_forgotten():
    parts = {field.replace("finetune.register", "finetune.register_model") for field in CHANGES} | OF_THE_DAG
    leaves = fields_of(Recipe)
    forgotten = [leaf for leaf in leaves if not any(leaf == part or leaf.startswith(f"{part}.") for part in parts)]
    assert forgotten == []
    assert {part for part in parts if not any(f"{leaf}.".startswith(f"{part}.") for leaf in leaves)} == set()
