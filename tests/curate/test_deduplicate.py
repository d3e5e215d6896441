"""deduplicate: against the exact truth of 11,200 real rows, and laws on made-up ones."""

import random

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.config.deduplicate import DeduplicateConfig
from contract.records import Document, Sample
from curate.deduplicate import shelf
from curate.deduplicate.bands import bands_for
from curate.deduplicate.corpus import Corpus
from curate.deduplicate.facts import facts_of
from curate.deduplicate.judge import judge
from curate.deduplicate.shelf import Sets
from curate.deduplicate.verdicts import EXACT, KEPT, NEAR, RULES, Verdicts, decide
from curate.shingles import shingle_sets
from curate_texts import document, read, sample, similarity, write_dataset
from stagekit.schema import to_batch


def verdicts_of(rows: list[Document], config: DeduplicateConfig) -> Verdicts:
    texts = [row.text for row in rows]

    def load(some: np.ndarray) -> Sets:
        values, offsets = shingle_sets([texts[i] for i in some], config.ngram)
        return Sets(values, offsets[:-1])

    return decide(facts_of(to_batch(rows, Document), config), config, load)


def rule_of(verdicts: Verdicts, row: int) -> str:
    return RULES[verdicts.rule[row]]


def survivors(rows: list[Document], config: DeduplicateConfig) -> list[Document]:
    return [row for row, partner in zip(rows, verdicts_of(rows, config).partner, strict=True) if partner == KEPT]


@pytest.fixture(scope="module")
def short_rows():
    from conftest import SHARED_DATA

    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real inputs at {SHARED_DATA} (set NOCTURNE_SHARED_DATA)")
    texts = pq.read_table(SHARED_DATA / "neardup" / "short_10k.parquet")["text"].to_pylist()
    pairs = np.load(SHARED_DATA / "neardup" / "short_10k_pairs.npz")
    truth = {tuple(sorted(pair)): j for pair, j in zip(pairs["P"].tolist(), pairs["J"].tolist(), strict=True)}
    return [document(i, text) for i, text in enumerate(texts)], truth


@pytest.mark.parametrize("engine", ["scan", "datasketch"])
@pytest.mark.parametrize("threshold", [0.7, 0.8])
def test_recall_and_precision_against_the_exact_truth(short_rows, threshold, engine):
    rows, truth = short_rows
    verdicts = verdicts_of(rows, DeduplicateConfig(threshold=threshold, engine=engine))
    kept = {i for i, partner in enumerate(verdicts.partner) if partner == KEPT}
    alike = {pair for pair, j in truth.items() if j >= threshold - 1e-6}
    removable = {i for pair in alike for i in pair}
    gone = set(range(len(rows))) - kept
    false = [i for i in gone if i not in removable and rule_of(verdicts, i) == NEAR]
    orphans = [i for i in gone if similarity(rows[i].text, rows[verdicts.partner[i]].text) < threshold]
    orphans = [i for i in orphans if rule_of(verdicts, i) == NEAR]
    left_over = {max(pair) for pair in alike if kept.issuperset(pair)}
    recall = 1 - len(left_over) / (len(left_over) + len(gone))
    print(f"{engine} at {threshold}: gone {len(gone)}, recall {recall:.4f}, false {len(false)}, orphans {len(orphans)}")
    assert recall >= 0.99
    assert len(false) <= 0.001 * len(gone)
    assert not orphans
    assert all(partner in kept for partner in verdicts.partner if partner != KEPT)


WORDS = ["a", "b", "c", "d", "é", "Über", "東京", "x1"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
CONFIGS = st.builds(
    DeduplicateConfig,
    threshold=st.sampled_from([0.3, 0.5, 0.7, 0.8, 1.0]),
    ngram=st.sampled_from([1, 2, 3, 5]),
    keep=st.sampled_from(["longest", "oldest"]),
    exact=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, max_size=40), CONFIGS, st.randoms(use_true_random=False))
def test_laws(texts, config, rng):
    rows = [document(i, text, created_at=f"2026-01-{i % 28 + 1:02}") for i, text in enumerate(texts)]
    verdicts = verdicts_of(rows, config)
    kept = {rows[i].id for i, partner in enumerate(verdicts.partner) if partner == KEPT}
    for i, partner in enumerate(verdicts.partner):
        if partner != KEPT:
            assert rows[partner].id in kept
            if rule_of(verdicts, i) == EXACT:
                assert rows[i].text.lower().split() == rows[partner].text.lower().split()
            else:
                found = similarity(rows[i].text, rows[partner].text, config.ngram)
                assert found == pytest.approx(verdicts.similarity[i])
                assert found >= config.threshold
    shuffled = rows[:]
    rng.shuffle(shuffled)
    again = survivors(shuffled, config)
    assert {row.id for row in again} == kept, "the order of rows changed the survivors"
    assert survivors(again, config) == again, "a second pass dropped more"


def test_a_template_cluster_larger_than_the_cap_leaves_one_row():
    rng = random.Random(0)
    words = [f"w{i}" for i in range(200)]
    rows = [document(i, " ".join(words[:180] + rng.sample(words, 4))) for i in range(300)]
    config = DeduplicateConfig(threshold=0.9)
    left = survivors(rows, config)
    assert len(left) == 1
    assert survivors(left, config) == left


def test_the_bands_that_follow_from_the_threshold():
    assert bands_for(0.8) == (20, 6)
    assert bands_for(0.7) == (25, 5)
    assert all(bands_for(t / 100).recall(t / 100) >= 0.985 for t in range(30, 101))


def test_rows_without_words_are_near_duplicates_of_nothing():
    rows = [document(0, "!!!"), document(1, "???"), document(2, "!!!"), document(3, "")]
    verdicts = verdicts_of(rows, DeduplicateConfig())
    assert sum(verdicts.partner != KEPT) == 1, "only the exact copy goes"


@pytest.mark.parametrize(
    ("keep", "kept"), [("longest", "doc-1"), ("oldest", "doc-2"), ("first", "doc-0")], ids=lambda value: value
)
def test_which_of_several_stays(keep, kept):
    text = "one two three four five six seven eight nine ten eleven twelve"
    rows = [
        document(0, text, created_at="2026-02-01"),
        document(1, text + "!!", created_at="2026-03-01T00:00:00+02:00"),
        document(2, text + ".", created_at="2026-01-01T00:00:00Z"),
        document(3, text),
    ]
    assert [row.id for row in survivors(rows, DeduplicateConfig(keep=keep))] == [kept]


def test_a_copy_of_a_dropped_row_names_the_kept_row():
    long = "the quick brown fox jumps over the lazy dog near the old stone bridge at dawn today"
    short = long.removesuffix(" today")
    rows = [document(0, short), document(1, short.upper()), document(2, long)]
    verdicts = verdicts_of(rows, DeduplicateConfig(threshold=0.8))
    assert verdicts.partner.tolist() == [2, 2, KEPT]
    assert [rule_of(verdicts, row) for row in (0, 1)] == [NEAR, NEAR]


def test_oldest_needs_dates(run_stage, tmp_path):
    uri = write_dataset(tmp_path / "in", [sample(1, "a", "b")], Sample)
    ended = run_stage("curate", "deduplicate", {"field": "instruction", "keep": "oldest"}, [("rows", uri)])
    assert ended.exit_code == 10
    assert "no `created_at`" in ended.stderr


def test_the_best_by_score_stays_and_one_without_it_goes_first(run_stage, tmp_path):
    scores = ({"quality": 2.0, "other": 9.0}, {}, {"quality": 3.5}, {"quality": -1.0})
    rows = [sample(n, "Why?", f"Because{'!' * n}", scores=some) for n, some in enumerate(scores)]
    uri = write_dataset(tmp_path / "in", rows, Sample)
    for field, ngram in (("instruction", 5), ("answer", 1)):
        config = {"field": field, "ngram": ngram, "keep": "best", "score": "quality"}
        made = run_stage("curate", "deduplicate", config, [("rows", uri)])
        dataset = read(made.result["uri"])
        assert [row.id for row in dataset.records(Sample)] == ["sample-2"]
        assert {entry.partner for entry in dataset.ledger()} == {"sample-2"}
    wrong = run_stage("curate", "deduplicate", config | {"score": ""}, [("rows", uri)])
    assert (wrong.exit_code, "go together" in wrong.stderr) == (10, True)


def test_the_stage_writes_the_same_for_any_workers_and_shards(run_stage, tmp_path):
    rng = random.Random(3)
    texts = [" ".join(rng.choices(WORDS, k=9)) for _ in range(2500)]
    texts += texts[:300]
    rows = [document(i, text) for i, text in enumerate(texts)]
    hashes = set()
    for i, shard_rows in enumerate([100_000, 700]):
        uri = write_dataset(tmp_path / f"in{i}", rows, Document, shard_rows=shard_rows)
        config = {"workers": i + 1, "shard_rows": 1000 - i * 900, "ngram": 3, "threshold": 0.6}
        result = run_stage("curate", "deduplicate", config, [("rows", uri)], f"{tmp_path}/out{i}/").result
        dataset = read(result["uri"])
        hashes.add(result["content_hash"])
        ledger = list(dataset.ledger())
        ids = {row.id for row in dataset.records(Document)}
        assert len(ledger) == result["dropped"] > 0
        assert all(entry.partner in ids and entry.rule in (EXACT, NEAR) for entry in ledger)
    assert len(hashes) == 1


def test_twenty_ledger_entries_hold_when_recomputed_by_hand(run_stage, tmp_path, short_rows):
    rows, _ = short_rows
    uri = write_dataset(tmp_path / "in", rows, Document)
    dataset = read(run_stage("curate", "deduplicate", {"threshold": 0.7}, [("rows", uri)]).result["uri"])
    texts = {row.id: row.text for row in rows}
    kept = {row.id for row in dataset.records(Document)}
    entries = list(dataset.ledger())
    assert len(entries) + len(kept) == len(rows)
    for entry in random.Random(5).sample(entries, 20):
        gone, stays = texts[entry.id], texts[entry.partner]
        assert entry.partner in kept
        assert entry.id not in kept
        assert len(stays) >= len(gone)
        if entry.rule == EXACT:
            assert (entry.value, entry.threshold) == ("1", "1")
            assert gone.lower().split() == stays.lower().split()
        else:
            assert entry.threshold == "0.7"
            assert entry.value == f"{similarity(gone, stays):.6g}"
            assert float(entry.value) >= 0.7


def test_sets_read_again_are_those_that_were_held(tmp_path, monkeypatch):
    rng = random.Random(4)
    rows = [document(i, " ".join(rng.choices(WORDS, k=8))) for i in range(2_300)]
    uri = write_dataset(tmp_path / "in", rows, Document)
    config = DeduplicateConfig(ngram=2, threshold=0.5, exact=False)
    partners = []
    for room in (shelf.ROOM, 9_000, 0):
        monkeypatch.setattr(shelf, "ROOM", room)
        found = judge(Corpus([], read(uri)), config, 2, tmp_path, lambda rows: None)
        partners.append(found.verdicts.partner.tolist())
    assert partners[0] == partners[1] == partners[2]
    assert partners[0].count(KEPT) < len(rows)


def test_samples_are_compared_by_the_field_asked_for(run_stage, tmp_path):
    rows = [
        sample(1, "What is love?", "Baby"),
        sample(2, "what is  LOVE?", "Do not hurt me"),
        sample(3, "Why?", "Baby"),
    ]
    uri = write_dataset(tmp_path / "in", rows, Sample)
    result = run_stage("curate", "deduplicate", {"field": "instruction"}, [("rows", uri)]).result
    assert {row.id for row in read(result["uri"]).records(Sample)} == {"sample-2", "sample-3"}


def test_text_of_samples_is_refused(run_stage, tmp_path):
    uri = write_dataset(tmp_path / "in", [sample(1, "a", "b")], Sample)
    ended = run_stage("curate", "deduplicate", {"field": "text"}, [("rows", uri)])
    assert ended.exit_code == 10
    assert "Traceback" not in ended.stderr
