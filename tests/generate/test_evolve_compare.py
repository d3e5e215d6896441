"""UltraFeedback on scripted models: ratings, the best answer, preferences; a missing rating is never made up."""

import json
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolve_runs import Evolve, check_evolved, file_of, preferences_of
from generate.evolve.ratings import ASPECTS, means, ratings_of, verdict
from scripted_llm import Evolver, ScriptedServer, clock_samples

MERIT = {"poor": 2, "fair": 3, "good": 5, "even": 3}


@pytest.fixture
def model() -> Evolver:
    """A model whose answers begin with its name, and a judge that rates by that name."""
    return Evolver(rate=lambda answer, aspect: MERIT.get(answer.split()[0], 1))


@pytest.fixture
def evolve(tmp_path, model):
    """Runs the stage against the scripted model."""
    with ScriptedServer(model) as server:
        yield Evolve(tmp_path, server)


def compared(evolve, *models: str, **more) -> dict:
    return {"answerers": [evolve.endpoint(name) for name in models], "judge": evolve.endpoint("judge")} | more


def test_the_best_answer_is_kept_and_set_against_the_worst(evolve):
    made = evolve(clock_samples(5), compare=compared(evolve, "fair", "good", "poor"))
    check_evolved(made, 5)
    evolved = [sample for sample in made.samples if sample.kind == "evolved"]
    for sample in evolved:
        assert sample.model == "good"
        assert sample.answer.startswith("good says")
        assert sample.scores == dict.fromkeys([*ASPECTS, "rating"], 5.0)
    preferences = preferences_of(made)
    assert [preference["id"] for preference in preferences] == [sample.id for sample in evolved]
    for preference, sample in zip(preferences, evolved, strict=True):
        assert preference["messages"] == [{"role": "user", "content": sample.instruction}]
        assert preference["chosen"] == sample.answer
        assert preference["rejected"].startswith("poor says")
        assert (preference["chosen_model"], preference["rejected_model"]) == ("good", "poor")
        assert (preference["chosen_rating"], preference["rejected_rating"]) == (5.0, 2.0)
    assert made.manifest.metrics["preferences"] == made.manifest.accounts["comparisons"].kept == 5
    assert "preferences.jsonl" in {file.path for file in made.manifest.files}


def test_the_rating_is_the_mean_of_four_aspects(evolve, model):
    by_aspect = {"instruction following": 5, "truthfulness": 2, "honesty": 3, "helpfulness": 5}
    model.rate = lambda answer, aspect: by_aspect[aspect] if answer.startswith("good") else 3
    made = evolve(clock_samples(1), compare=compared(evolve, "fair", "good"))
    scores = made.samples[-1].scores
    assert scores == dict(zip(ASPECTS, (5.0, 2.0, 3.0, 5.0), strict=True)) | {"rating": 3.75}


def test_a_liking_for_a_place_does_not_decide(evolve, model):
    """A judge that always prefers what it reads first: places are drawn anew, so the winner is not the first asked."""

    def biased(body):
        said = model(body)
        if "ratings" in said:
            said["ratings"] = [rating | {"rating": 6 - rating["answer"]} for rating in said["ratings"]]
        return said

    evolve.server.script = biased
    made = evolve(clock_samples(40), compare=compared(evolve, "fair", "even", of="evolved"), check_gain=False)
    winners = [sample.model for sample in made.samples if sample.kind == "evolved"]
    assert 8 <= winners.count("fair") <= 36


def test_close_ratings_make_no_preference(evolve):
    made = evolve(clock_samples(2), compare=compared(evolve, "fair", "even"))
    check_evolved(made, 2)
    assert made.manifest.accounts["comparisons"].dropped == {"tie": 2}
    assert [sample.model for sample in made.samples] == ["gpt-4o-mini", "fair"] * 2
    assert "preferences.jsonl" not in {file.path for file in made.manifest.files}


def test_one_usable_answer_needs_no_judge(evolve, model):
    model.answer = lambda text, name: "Pendulum." if name == "poor" else f"{name} says that it depends on {text}"
    made = evolve(clock_samples(2), compare=compared(evolve, "poor", "good"))
    check_evolved(made, 2)
    assert made.manifest.accounts["comparisons"].dropped == {"one_answer": 2}
    assert made.manifest.accounts["answers"].dropped == {"too_short": 2}
    assert "rating" not in model.kinds
    assert made.samples[1].scores == {}


def test_a_rating_that_cannot_be_read_is_never_made_up(evolve, model):
    evolve.server.script = lambda body: (
        {"ratings": [{"answer": 1, "rationale": "well", "rating": 4}]} if "Rate each" in str(body) else model(body)
    )
    made = evolve(clock_samples(2), compare=compared(evolve, "fair", "good"), reasks=1)
    check_evolved(made, 2)
    assert made.manifest.accounts["comparisons"].dropped == {"malformed": 2}
    assert made.samples[1].scores == {}
    assert made.samples[1].model == "fair"
    entry = next(entry for entry in made.ledger if entry.account == "comparisons")
    assert "expected one for each of 1 to 2" in entry.value
    again = [seen for seen in evolve.server.seen if len(seen.body["messages"]) == 4]
    assert "Rate the answers again" in again[0].body["messages"][-1]["content"]


def test_an_original_takes_part_with_its_own_answer(evolve):
    rows = clock_samples(4)
    made = evolve(rows, rounds=0, compare=compared(evolve, "good", "poor", of="all"))
    check_evolved(made, 4)
    for sample, row in zip(made.samples, rows, strict=True):
        assert (sample.kind, sample.model, sample.parent_ids) == ("instruct", "good", [row.id])
        assert "better_answer" in sample.tags
        assert (sample.document_id, sample.chunk_id, sample.author) == (row.document_id, row.chunk_id, None)
    assert {preference["rejected"] for preference in preferences_of(made)} == {row.answer for row in rows}
    assert {preference["rejected_model"] for preference in preferences_of(made)} == {"gpt-4o-mini"}


def test_an_original_that_is_best_keeps_its_id(evolve, model):
    model.rate = lambda answer, aspect: 5 if answer.startswith("Clock") else 1
    rows = clock_samples(2)
    made = evolve(rows, rounds=0, compare=compared(evolve, "good", "poor", of="all"))
    assert [sample.model_copy(update={"scores": {}}) for sample in made.samples] == rows
    assert [sample.scores["rating"] for sample in made.samples] == [5.0, 5.0]


def test_equal_ratings_leave_an_original_its_answer(evolve, model):
    model.rate = lambda *_: 3
    rows = clock_samples(2)
    made = evolve(rows, rounds=0, compare=compared(evolve, "good", "poor", of="all"))
    assert [sample.answer for sample in made.samples] == [row.answer for row in rows]


def test_random_takes_any_lower_one(evolve):
    settings = {"rounds": 1, "check_gain": False}
    made = evolve(clock_samples(30), **settings, compare=compared(evolve, "good", "fair", "poor", rejected="random"))
    rejected = [preference["rejected_model"] for preference in preferences_of(made)]
    assert set(rejected) == {"fair", "poor"}
    assert len(rejected) == 30


@given(st.lists(st.floats(1, 5), min_size=1, max_size=8), st.floats(0.01, 4), st.sampled_from(["worst", "random"]))
def test_what_is_set_against_the_best_is_lower_by_the_gap(rated, gap, rejected):
    found = verdict(rated, rejected, gap, "draw")
    assert rated[found.best] == max(rated)
    if found.other is None:
        assert all(max(rated) - mean < gap for mean in rated)
    else:
        assert max(rated) - rated[found.other] >= gap
        assert rejected == "random" or rated[found.other] == min(rated)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(1, 4))
def test_a_rating_for_each_answer_or_none(numbers, count):
    value = {"ratings": [{"answer": n, "rationale": "so", "rating": 3} for n in numbers]}
    if sorted(numbers) == list(range(1, count + 1)):
        assert len(ratings_of(count).model_validate(value).ratings) == count
    else:
        with pytest.raises(ValueError, match="expected one for each of"):
            ratings_of(count).model_validate(value)


@pytest.mark.parametrize("rating", [0, 6, 4.5, "4", None, True])
def test_a_rating_is_a_whole_number_from_1_to_5(rating):
    with pytest.raises(ValueError, match="ratings"):
        ratings_of(1).model_validate({"ratings": [{"answer": 1, "rationale": "so", "rating": rating}]})


def test_means():
    assert means([{"a": 1, "b": 4}, {"a": 5, "b": 5}]) == [fmean([1, 4]), 5]


def test_prompts_are_kept_with_the_data(evolve):
    made = evolve(clock_samples(1), compare=compared(evolve, "fair", "good"))
    kept = json.loads(file_of(made, "prompt.json").read_text())
    assert set(kept) == {"evolve-1", "ultrafeedback-1"}
    assert set(kept["ultrafeedback-1"]["aspects"]) == set(ASPECTS)
