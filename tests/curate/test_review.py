"""review: decisions find their samples, are applied once, and the draw hardly moves when rows are added."""

import json
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.config.review import ReviewConfig
from contract.failures import BadConfig
from contract.problems import parse_config
from contract.records import Chunk, Decision, Message, Sample
from curate.decisions import Decisions
from curate.review.strata import Draw, Stratum, band, stratum_of
from curate_texts import decision, read, sample, write_dataset
from every_field import run

EDITED = [Message(role="user", content="Question 2"), Message(role="assistant", content="A better answer")]


def rows(count: int) -> list[Sample]:
    return [sample(i, f"Question {i}", f"Answer {i}") for i in range(count)]


# Which decision speaks of which sample


def test_a_decision_survives_a_new_id():
    (one,) = rows(1)
    decisions = Decisions([decision(one, "reject")])
    moved = one.model_copy(update={"id": "another"})
    assert decisions.about(moved).rejected(by_any=False)
    assert decisions.fates == ["applied"]


def test_an_id_that_says_something_else_is_another_sample():
    (one,) = rows(1)
    decisions = Decisions([decision(one, "reject"), decision(one.id, "accept"), decision("gone")])
    changed = one.model_copy(update={"messages": EDITED})
    votes = decisions.about(changed)
    assert [each.verdict for each in votes.decisions] == ["accept"], "which does not say what it looked at"
    assert decisions.fates == ["text_changed", "applied", "unmatched"]


def test_the_last_word_of_each_reviewer_counts():
    (one,) = rows(1)
    late, early, other = "2026-02-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z", "2026-01-15T00:00:00.000000Z"
    decisions = Decisions(
        [
            decision(one, "reject", decided_at=late),
            decision(one, "accept", decided_at=early),
            decision(one, "accept", "bob", decided_at=other),
        ]
    )
    votes = decisions.about(one)
    assert [(each.reviewer, each.verdict) for each in votes.decisions] == [("bob", "accept"), ("ann", "reject")]
    assert decisions.fates == ["applied", "superseded", "applied"]


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_fates_do_not_depend_on_the_order_of_samples(seed):
    rng = random.Random(seed)
    samples = [sample(i % 5, f"Question {rng.randrange(3)}", "Answer") for i in range(8)]
    made = [decision(rng.choice(samples), rng.choice(["accept", "reject"]), rng.choice("ab")) for _ in range(6)]
    made += [decision(f"sample-{rng.randrange(7)}", "accept", rng.choice("ab")) for _ in range(3)]
    outcomes = []
    for _ in range(2):
        decisions = Decisions(made)
        votes = {(s.id, s.instruction): decisions.about(s) for s in samples}
        outcomes.append((decisions.fates, votes))
        rng.shuffle(samples)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("verdicts", "by_majority", "by_any"),
    [("A", False, False), ("R", True, True), ("AR", False, True), ("ARR", True, True), ("EAR", False, True)],
)
def test_who_can_reject(verdicts, by_majority, by_any):
    (one,) = rows(1)
    names = {"A": "accept", "R": "reject", "E": "edit"}
    made = [
        decision(one, names[letter], str(i), messages=EDITED * (letter == "E")) for i, letter in enumerate(verdicts)
    ]
    votes = Decisions(made).about(one)
    assert (votes.rejected(by_any=False), votes.rejected(by_any=True)) == (by_majority, by_any)


# The draw


def drawn(samples, size, seed=0, strata=3):
    draw = Draw(size, seed)
    for one in samples:
        draw.add(one, Stratum(f"topic {len(one.instruction) % strata}", "all", "all"))
    return {one.id for one in draw.chosen()}


def texts(numbers):
    return [sample(i, "word " * (i % 7) + f"question {i}", f"Answer {i}") for i in numbers]


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 6), st.integers(1, 30))
def test_each_added_row_displaces_one_at_most(seed, size, strata, more):
    numbers = random.Random(seed).sample(range(10_000), 150)
    before, after = drawn(texts(numbers[:-more]), size, 0, strata), drawn(texts(numbers), size, 0, strata)
    assert len(before - after) <= more
    assert len(before) == min(size, 150 - more)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 9))
def test_the_draw_is_what_a_plain_reading_says(seed, size, strata):
    """Also where most rows were let go on the way, and in any order."""
    rng = random.Random(seed)
    samples = texts(rng.sample(range(10_000), 300))
    whole = Draw(100_000, 0)
    for one in samples:
        whole.add(one, Stratum(f"topic {len(one.instruction) % strata}", "all", "all"))
    held = whole.strata
    from contract.keys import digest

    order = sorted(held, key=lambda stratum: digest([0, *stratum]))
    places = [one.id for rank in range(300) for stratum in order for one in held[stratum][rank : rank + 1]]
    rng.shuffle(samples)
    assert drawn(samples, size, 0, strata) == set(places[:size])


def test_strata_get_equal_shares_where_they_can():
    draw = Draw(30, 0)
    for i in range(500):
        draw.add(sample(i, f"Question {i}", "x"), Stratum("rare" if i < 5 else f"common {i % 2}", "all", "all"))
    counts = Counter(one.stratum.topic for one in draw.chosen())
    assert counts["rare"] == 5
    assert abs(counts["common 0"] - counts["common 1"]) <= 1
    assert sum(counts.values()) == 30


def test_strata_of_a_sample():
    config = ReviewConfig(score="quality", score_bounds=[2, 4])
    one = sample(1, "Q", "x" * 300, scores={"quality": 4.0}, tags=["physics", "art"], source="blog")
    assert stratum_of(one, config) == ("art", "from 4", "200 to 1000")
    assert stratum_of(one, config.model_copy(update={"topic": "source"})).topic == "blog"
    assert stratum_of(sample(1, "Q", ""), config) == ("none", "none", "below 200")
    assert band(3, []) == "all"


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"length_bounds": [5, 5]}, r"length_bounds is \[5, 5\]; expected ascending"),
        ({"score_bounds": [1]}, "score_bounds without a `score`"),
        ({"checklist": ["a", "a"]}, "checklist repeats a statement"),
    ],
)
def test_configs_that_make_no_sense(config, problem):
    with pytest.raises(BadConfig, match=problem):
        parse_config(ReviewConfig, config, "review")


# Agreement


# The stage


@pytest.fixture
def review(tmp_path):
    """Runs the stage on samples and decisions; returns the dataset."""

    def call(samples, decisions=None, extra=(), **config):
        number = len(list(tmp_path.glob("in*")))
        inputs = [f"rows={write_dataset(tmp_path / f'in{number}', samples, Sample)}"]
        if decisions is not None:
            inputs.append(f"decisions={write_dataset(tmp_path / f'decided{number}', decisions, Decision, 'decide')}")
        return read(run("review", config, [*inputs, *extra], tmp_path / "out").uri)

    return call


def lines(dataset, name="review/sample.jsonl"):
    return [json.loads(line) for line in dataset.file(name).read_text().splitlines()]


def test_decisions_are_applied_and_every_one_is_accounted_for(review):
    samples = rows(6)
    one, two, three = samples[1:4]
    made = [
        decision(one, "reject", comment="Wrong."),
        decision(two, "edit", messages=EDITED),
        decision(three),
        decision(three, "reject", "bob"),
        decision("nobody"),
    ]
    dataset = review(samples, made, sample=10)
    found = {each.id: each for each in dataset.records(Sample)}
    assert next(iter(found)) == samples[0].id
    assert one.id not in found
    (edited,) = [each for each in found.values() if each.parent_ids]
    assert (edited.answer, edited.parent_ids, edited.tags) == ("A better answer", [two.id], ["edited"])
    assert edited.id.startswith(f"{two.id}-edited-")
    assert (found[three.id].tags, found[three.id].scores) == (["accepted"], {"review": 0.5})
    assert found["sample-0"] == samples[0], "nobody decided about it"
    accounts = dataset.manifest.accounts
    assert (accounts["rows"].kept, accounts["rows"].dropped) == (5, {"rejected": 1})
    assert (accounts["decisions"].kept, accounts["decisions"].dropped) == (4, {"unmatched": 1})
    rejected = next(entry for entry in dataset.ledger() if entry.rule == "rejected")
    assert (rejected.value, rejected.threshold, rejected.detail) == ("ann: reject", "rejected by majority", "Wrong.")
    metrics = dataset.manifest.metrics
    assert {name: metrics[name] for name in ("accepted", "edited", "rejected", "unreviewed", "agreement")} == {
        "accepted": 1, "edited": 1, "rejected": 1, "unreviewed": 3, "agreement": 0,
    }  # fmt: skip


def test_people_get_what_they_have_not_decided_about(review):
    samples = rows(5)
    dataset = review(samples, [decision(samples[0]), decision(samples[1]), decision(samples[1], "accept", "bob")])
    assert {line["sample_id"] for line in lines(dataset)} == {"sample-2", "sample-3", "sample-4"}
    again = review(
        samples, [decision(samples[0]), decision(samples[1]), decision(samples[1], "accept", "bob")], reviewers=2
    )
    reviewers = {line["sample_id"]: line["reviewers"] for line in lines(again)}
    assert reviewers == {"sample-0": ["ann"], "sample-2": [], "sample-3": [], "sample-4": []}


def test_people_see_the_passage_that_a_sample_was_made_from(review, tmp_path):
    samples = [one.model_copy(update={"chunk_id": f"c{i}" if i else None}) for i, one in enumerate(rows(3))]
    chunks = [Chunk(id=f"c{i}", document_id="d", ordinal=i, start=i, end=i + 9, text=f"Text {i}") for i in range(2)]
    extra = [f"references={write_dataset(tmp_path / 'chunks', chunks, Chunk, 'chunk')}"]
    dataset = review(samples, extra=extra)
    passages = {line["sample_id"]: line["passage"] for line in lines(dataset)}
    assert passages.pop("sample-1") == {"title": None, "text": "Text 1", "start": 1, "end": 10}
    assert set(passages.values()) == {None}, "of one there is no chunk, and another names none"
    assert dataset.manifest.accounts["references"].kept == 2


def test_only_what_somebody_decided_about_can_go_on(review):
    samples = rows(3)
    dataset = review(samples, [decision(samples[0])], unreviewed="drop")
    assert [each.id for each in dataset.records(Sample)] == ["sample-0"]
    assert dataset.manifest.accounts["rows"].dropped == {"unreviewed": 2}


def test_the_same_rows_in_another_order_give_the_same_files(review):
    samples = rows(40)
    first, second = (review(some, sample=7) for some in (samples, samples[::-1]))
    files = [{file.path: file.sha256 for file in one.manifest.files if file.hashed} for one in (first, second)]
    assert files[0] == files[1]
    assert "review/argilla/.argilla/settings.json" in files[0]


def test_argilla_gets_what_its_client_reads(review):
    dataset = review(rows(3), sample=2, reviewers=2, checklist=["It is right", "It is clear"])
    folder = dataset.folder("review/argilla")
    settings = json.loads((folder / ".argilla/settings.json").read_text())
    assert [question["name"] for question in settings["questions"]] == [
        "verdict", "edited_answer", "comment", "checklist",
    ]  # fmt: skip
    assert settings["distribution"] == {"strategy": "overlap", "min_submitted": 2}
    records = json.loads((folder / "records.json").read_text())
    assert [record["id"] for record in records] == [line["sample_id"] for line in lines(dataset)]
    assert set(records[0]) == {"id", "fields", "metadata", "suggestions", "responses", "vectors"}


def test_what_argilla_gives_back_comes_home(review, tmp_path):
    """The whole circle: drawn, answered as Argilla exports it, read, applied, no longer drawn."""
    samples = rows(4)
    records = json.loads((review(samples, sample=2).folder("review/argilla") / "records.json").read_text())
    for record in records:
        record["responses"] = {"verdict": [{"value": "reject", "user_id": "u"}]}
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "records.json").write_text(json.dumps(records))
    decided = run("decide", {"sources": [{"uri": str(tmp_path / "back")}]}, [], tmp_path / "decide").uri
    moved = [one.model_copy(update={"id": f"moved-{one.id}"}) for one in samples]
    dataset = review(moved, list(read(decided).records(Decision)))
    assert dataset.manifest.accounts["rows"].dropped == {"rejected": 2}
    assert {line["sample_id"] for line in lines(dataset)} == {each.id for each in dataset.records(Sample)}
