"""learn_quality: labels, what is held out, measures held against plain readings, and a classifier on real articles."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.config.learn_quality import LearnQualityConfig
from contract.failures import BadConfig
from contract.problems import parse_config
from contract.records import Decision, Document, Sample
from curate.decisions import Decisions
from curate.language import scorer
from curate.learn_quality.examples import (
    BETWEEN,
    CONTRADICTED,
    EMPTY,
    REPEATED,
    UNLABELLED,
    Example,
    Unused,
    example_of,
    is_held_out,
    unused_twins,
)
from curate.learn_quality.measures import at_threshold, auc, calibration, calibration_error
from curate.learn_quality.training import train
from curate_texts import read, sample, write_dataset
from every_field import run

SCORED = LearnQualityConfig(score="quality", high=4, low=2)
DECIDED = LearnQualityConfig(labels="decisions")
NOBODY = Decisions([])


def scored(number, score, answer="An answer", **fields) -> Sample:
    return sample(number, f"Question {number}", answer, scores={} if score is None else {"quality": score}, **fields)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (scored(1, 4.0), True),
        (scored(1, 1.9), False),
        (scored(1, 2.0), Unused(BETWEEN, 2.0)),
        (scored(1, None), Unused(UNLABELLED)),
        (scored(1, 4.0, " \n"), Unused(EMPTY)),
    ],
)
def test_labels_from_scores(one, expected):
    found = example_of(one, SCORED, NOBODY)
    assert (found.high if isinstance(found, Example) else found) == expected


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["accept"], True),
        (["accept", "accept", "reject"], True),
        (["reject"], False),
        (["accept", "reject"], Unused(BETWEEN, 0.5)),
        (["edit"], Unused(BETWEEN, 0.0)),
        ([], Unused(UNLABELLED)),
    ],
)
def test_labels_from_decisions(verdicts, expected):
    made = [Decision(id=str(i), sample_id="sample-1", reviewer=str(i), verdict=v) for i, v in enumerate(verdicts)]
    found = example_of(scored(1, None), DECIDED, Decisions(made))
    assert (found.high if isinstance(found, Example) else found) == expected


def test_of_equal_texts_one_teaches_and_of_contradicting_ones_none():
    examples = [Example("b", "The same", True, "x"), Example("a", "the  SAME", True, "y")]
    assert unused_twins(examples) == {"b": Unused(REPEATED, partner="a")}
    examples.append(Example("c", "the same", False, "z"))
    found = unused_twins(examples)
    assert {id: end.rule for id, end in found.items()} == dict.fromkeys("abc", CONTRADICTED)
    assert (found["a"].partner, found["c"].partner) == ("c", "a")


@settings(max_examples=30)
@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.integers(0, 9))
def test_a_document_is_on_one_side_whatever_else_there_is(documents, seed):
    sides = {name: is_held_out(Example("i", "text", True, name), 0.3, seed) for name in documents}
    again = {name: is_held_out(Example("j", "other", False, name), 0.3, seed) for name in reversed(documents)}
    assert sides == again


def test_the_share_held_out_is_met():
    held = [is_held_out(Example("i", "t", True, f"document {n}"), 0.2, 0) for n in range(5000)]
    assert np.mean(held) == pytest.approx(0.2, abs=0.02)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.booleans()), min_size=2, max_size=40))
def test_measures_are_scikit_learns(pairs):
    from sklearn.metrics import precision_score, recall_score, roc_auc_score

    pairs += [(0.3, True), (0.3, False)]
    scores, high = np.array([score for score, _ in pairs]), np.array([label for _, label in pairs])
    assert auc(scores, high) == pytest.approx(roc_auc_score(high, scores))
    row = at_threshold(scores, high, 0.3)
    assert row["precision"] == pytest.approx(precision_score(high, scores >= 0.3), abs=1e-4)
    assert row["recall"] == pytest.approx(recall_score(high, scores >= 0.3), abs=1e-4)


def test_calibration_by_hand():
    table = calibration(np.array([0.05, 0.05, 0.95, 1.0]), np.array([False, True, True, True]))
    assert table == [
        {"from": 0.0, "texts": 2, "probability": 0.05, "good": 0.5},
        {"from": 0.9, "texts": 2, "probability": 0.975, "good": 1.0},
    ]
    assert calibration_error(table) == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)


def made_examples(count=60):
    rng = random.Random(1)
    good, bad = ["clear", "sound", "whole", "plain", "true"], ["spam", "click", "buy", "now", "cheap"]
    return [
        Example(str(n), " ".join(rng.choices(good if n % 2 else bad, k=8)) + f" {n}", bool(n % 2), str(n))
        for n in range(count)
    ]


def test_training_depends_on_what_is_said_alone(tmp_path):
    examples = made_examples()
    config = LearnQualityConfig(score="x", buckets=1_000)
    train(examples, config, tmp_path / "one.bin")
    train(examples[::-1], config, tmp_path / "two.bin")
    assert (tmp_path / "one.bin").read_bytes() == (tmp_path / "two.bin").read_bytes()
    scores = scorer(tmp_path / "one.bin", "high")(["clear and true", "buy spam now"])
    assert scores[0] > 0.8 > 0.2 > scores[1]


def test_a_text_cannot_label_itself(tmp_path):
    examples = [one._replace(text=f"__label__fine {one.text}\n__label__low") for one in made_examples()]
    train(examples, LearnQualityConfig(score="x", buckets=1_000), tmp_path / "model.bin")
    with pytest.raises(BadConfig, match=r"expected one of (high, low|low, high)"):
        scorer(tmp_path / "model.bin", "fine")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({}, "labels 'scores' names no `score`"),
        ({"labels": "decisions", "score": "x"}, "labels 'decisions' takes no `score`"),
        ({"score": "x", "low": 4, "high": 3}, "low 4 is above high 3"),
    ],
)
def test_configs_that_make_no_sense(config, problem):
    with pytest.raises(BadConfig, match=problem):
        parse_config(LearnQualityConfig, config, "learn_quality")


def test_too_few_examples_are_refused_with_their_numbers(run_stage, tmp_path):
    uri = write_dataset(tmp_path / "in", [scored(n, 5.0, f"Answer {n}") for n in range(50)], Sample)
    ended = run_stage("curate", "learn_quality", {"score": "quality"}, [("rows", uri)])
    assert ended.exit_code == 11
    assert " good and 0 bad samples to learn from; expected at least 10 of each" in ended.stderr


def paragraphs(shared_data) -> list[tuple[str, str]]:
    """Paragraphs of real articles with the article that each is from."""
    articles = json.loads((shared_data / "articles.json").read_text())["artifact_data"]
    pieces = [(article["id"], " ".join(article["content"].split()).split(". ")) for article in articles]
    return [
        (id, ". ".join(sentences[at : at + 5])) for id, sentences in pieces for at in range(0, len(sentences) - 4, 5)
    ]


def damaged(text: str, rng: random.Random) -> str:
    """A paragraph as bad extraction leaves it: words shuffled within a window, or lost, or glued together."""
    words = text.split()
    kind = rng.randrange(3)
    if kind == 0:
        return " ".join(sorted(words, key=lambda word: words.index(word) + rng.uniform(0, 6)))
    if kind == 1:
        return " ".join(word for word in words if rng.random() > 0.35)
    return " ".join(word + rng.choice(["", " ", " ", word[:2]]) for word in words)


def test_a_classifier_learnt_from_real_articles_is_used_by_filter(shared_data, tmp_path):
    """Whole paragraphs against damaged ones, on articles that it has not seen; then the filter drops by it."""
    rng = random.Random(0)
    rows = [
        scored(f"{n}-{kind}", 5.0 if kind == "whole" else 1.0, text, document_id=article)
        for n, (article, whole) in enumerate(paragraphs(shared_data))
        for kind, text in (("whole", whole), ("damaged", damaged(whole, rng)))
    ]
    uri = write_dataset(tmp_path / "in", rows, Sample)
    config = {"score": "quality", "minimum_auc": 0.9}
    learnt = read(run("learn_quality", config, [f"rows={uri}"], tmp_path / "learnt").uri)
    metrics = learnt.manifest.metrics
    assert metrics["auc"] > 0.95
    assert metrics["learnt_from"] + metrics["held_out"] == learnt.manifest.accounts["rows"].kept
    quality = {"classifier": {"model": learnt.uri, "minimum": 0.5}}
    filtered = read(run("filter", {"field": "answer", "quality": quality}, [f"rows={uri}"], tmp_path / "filtered").uri)
    kept = [row.scores["quality"] for row in filtered.records(Sample)]
    assert kept.count(5.0) > 0.8 * len(rows) / 2
    assert kept.count(1.0) < 0.4 * len(rows) / 2


def test_a_classifier_may_not_be_there_yet(tmp_path):
    uri = write_dataset(tmp_path / "in", [Document(id="d", text="Anything.")], Document)
    classifier = {"model": str(tmp_path / "nothing")}
    there, missing = (
        run("filter", {"quality": {"classifier": classifier | more}}, [f"rows={uri}"], tmp_path / "out")
        for more in ({"optional": True}, {})
    )
    assert read(there.uri).rows == 1
    assert any("no finished dataset" in line for line in missing.lines)


def test_a_model_that_reads_another_text_is_not_taken(tmp_path):
    rows = [scored(one.id, 5.0 if one.high else 1.0, one.text) for one in made_examples(120)]
    uri = write_dataset(tmp_path / "in", rows, Sample)
    learnt = run("learn_quality", {"score": "quality", "buckets": 1_000}, [f"rows={uri}"], tmp_path / "learnt").uri
    config = {"field": "instruction", "quality": {"classifier": {"model": learnt}}}
    refused = run("filter", config, [f"rows={uri}"], tmp_path / "filtered")
    assert any("no dataset of learn_quality behind this one" in line for line in refused.lines)
