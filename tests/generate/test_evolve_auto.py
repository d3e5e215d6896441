"""Auto Evol-Instruct on scripted models: the search takes what fails least, and says how it got there."""

import json

import pytest

from evolve_runs import Evolve, check_evolved, file_of
from scripted_llm import Evolver, ScriptedServer, clock_samples

AUTO = {"method": "auto", "check_gain": False}


def failing(shares: dict[str, int]):
    """A rewriting that fails for clocks below a number, which follows from marks in the method; the last one counts."""

    def rewrite(instruction: str, prompt: str) -> str:
        marks = [mark for mark in shares if mark in prompt]
        below = shares[marks[-1]] if marks else 8
        number = int("".join(filter(str.isdigit, instruction.split("number")[1].split("keeps")[0])))
        return instruction if number < below else f"{instruction} Consider leap seconds."

    return rewrite


@pytest.fixture
def model() -> Evolver:
    """A model that rewrites better by mended methods, best by the second of the first step."""
    return Evolver(rewrite=failing({"[1]": 6, "[2]": 3, "[3]": 5}))


@pytest.fixture
def evolve(tmp_path, model):
    """Runs the stage against the scripted model."""
    with ScriptedServer(model) as server:
        yield Evolve(tmp_path, server)


def history(made) -> list[dict]:
    return json.loads(file_of(made, "auto/history.json").read_text())


def test_the_method_that_fails_least_is_used(evolve, model):
    made = evolve(clock_samples(10), **AUTO, auto={"steps": 1, "candidates": 3, "development": 10, "trajectories": 2})
    check_evolved(made, 10)
    tried = {entry["name"]: (entry["failure_rate"], entry["adopted"]) for entry in history(made)}
    assert tried == {"first": (0.8, True), "1.1": (0.6, False), "1.2": (0.3, True), "1.3": (0.5, False)}
    assert "[2]" in file_of(made, "auto/method.txt").read_text()
    metrics = made.manifest.metrics
    assert (metrics["auto_failure_rate_first"], metrics["auto_failure_rate"]) == (0.8, 0.3)
    assert (metrics["auto_methods_tried"], metrics["auto_ended"]) == (4, "steps used up")
    assert made.manifest.accounts["evolutions"].dropped == {"no_change": 3}
    evolved = [sample for sample in made.samples if sample.kind == "evolved"]
    assert {tuple(sample.tags) for sample in evolved} == {("auto", "round-1")}
    assert made.manifest.accounts["methods"].model_dump(include={"kept", "dropped"}) == {
        "kept": 2,
        "dropped": {"not_better": 2},
    }
    lost = next(entry for entry in made.ledger if entry.account == "methods")
    assert (lost.id, lost.value, lost.threshold) == ("1.1", "0.6", "0.8")
    assert made.manifest.accounts["development"].total == 4 * 10 + 2


def test_the_analysis_sees_what_happened(evolve, model):
    evolve(clock_samples(10), **AUTO, auto={"steps": 1, "candidates": 1, "development": 8, "trajectories": 2})
    texts = [seen.body["messages"][1]["content"] for seen in evolve.server.seen]
    analysis = next(text for text in texts if text.startswith("A method for making"))
    assert analysis.count("-------- case") == 2
    assert "Before: Explain how clock number" in analysis
    assert "Step 1. List ways" in analysis
    assert any("it asks for too little" in text for text in texts if text.startswith("Below are a method"))


def test_it_ends_where_nothing_is_better(evolve, model):
    model.rewrite = failing({})
    made = evolve(clock_samples(10), **AUTO, auto={"steps": 5, "candidates": 2, "development": 10, "trajectories": 1})
    check_evolved(made, 10)
    assert made.manifest.metrics["auto_ended"] == "nothing better"
    assert [entry["adopted"] for entry in history(made)] == [True, False, False]
    assert "Step 1. List ways" in file_of(made, "auto/method.txt").read_text()


def test_it_ends_where_nothing_fails(evolve, model):
    model.rewrite = lambda instruction, _: f"{instruction} Consider leap seconds."
    made = evolve(clock_samples(6), **AUTO)
    assert made.manifest.metrics["auto_ended"] == "nothing fails"
    assert "analyse" not in model.kinds
    requests = made.manifest.cost
    assert requests.cached_requests == requests.requests == 12, "what the search asked is not paid for again"


def test_no_steps_take_the_first_method(evolve, model):
    made = evolve(clock_samples(4), **AUTO, auto={"steps": 0})
    assert (made.manifest.metrics["auto_methods_tried"], made.manifest.metrics["auto_ended"]) == (1, "steps used up")


def test_a_found_method_can_be_kept_for_the_nights_to_come(evolve, model):
    found = evolve(clock_samples(10), **AUTO, auto={"steps": 1, "candidates": 3, "development": 10, "trajectories": 2})
    method = file_of(found, "auto/method.txt").read_text()
    evolve.server.forget()
    auto = {"method": method, "steps": 0, "development": 1}
    rows = clock_samples(12)
    later = evolve(rows, "later", **AUTO, auto=auto)
    assert later.samples[: len(found.samples)] == found.samples
    assert len(evolve.server.seen) == 4, "one rewriting and one answer for each new row"


def test_a_model_that_writes_no_method_leaves_the_first(evolve, model):
    model.mend = lambda _: "   "
    made = evolve(clock_samples(10), **AUTO, auto={"steps": 2, "candidates": 2, "development": 10, "trajectories": 1})
    check_evolved(made, 10)
    assert made.manifest.accounts["methods"].dropped == {"no_substance": 2}
    assert made.manifest.metrics["auto_ended"] == "nothing better"


def test_the_search_is_within_the_budget(evolve):
    config = AUTO | {"auto": {"steps": 3, "candidates": 2, "development": 10, "trajectories": 2}, "concurrency": 1}
    for limit in (5, 14, 30):
        made = evolve(clock_samples(10), f"limit-{limit}", **config, budget={"requests": limit}, seed=limit)
        check_evolved(made, 10)
        assert made.manifest.cost.requests <= limit
        assert made.manifest.metrics["auto_ended"] == "budget"
        assert made.manifest.accounts["rows"].kept == 10
