"""deduplicate with `semantic` and `substring`: rows, ledger and reports, whatever the order of rows and the workers."""

import json
import random
import re

import numpy as np
import pytest

from contract.failures import BadConfig
from contract.records import Document, Sample
from contract.stages import BY_NAME
from curate.deduplicate.clusters import LARGEST, MEMBERS
from curate.embed.cache import Remembering, remembering
from curate.embed.transformer import SentenceTransformer
from curate_texts import document, sample, write_dataset
from stagekit.dataset import Dataset, open_dataset
from stagekit.request import build_request
from stagekit.run import run_stage as commit
from stagekit.store import open_store
from tiny_onnx import write_model

VECTORS = {"[UNK]": [0.0, 0.0, 1.0], "red": [1.0, 0.0, 0.0], "scarlet": [0.99, 0.14, 0.0], "blue": [0.0, 1.0, 0.0]}


@pytest.fixture
def deduplicated(tmp_path, monkeypatch):
    """Runs deduplicate over rows in this process; the store's root is the test's folder."""
    monkeypatch.setenv("NOCTURNE_STORE", str(tmp_path))
    number = iter(range(100))

    def call(rows: list, record=Document, **config) -> Dataset:
        uri = write_dataset(tmp_path / f"rows{next(number)}", rows, record, shard_rows=300)
        request = build_request(BY_NAME["deduplicate"], json.dumps(config), [f"rows={uri}"], f"{tmp_path}/deduplicate/")
        commit(request)
        return open_dataset(request.address)

    return call


@pytest.fixture
def colours(tmp_path):
    """The config of an encoder that knows three colours."""
    return {"encoder": "sentence_transformer", "model": str(write_model(tmp_path / "model", VECTORS))}


def prose(rng, count):
    return [f"w{rng.randrange(3000)}" for _ in range(count)]


def corpus(seed: int) -> list[Document]:
    """Texts with copies, edited copies, reworded ones, and passages of others."""
    rng = random.Random(seed)
    rows: list[list[str]] = []
    for number in range(150):
        text = prose(rng, rng.randrange(60, 120))
        if number > 20 and number % 3 == 0:
            edited = rng.choice([0, 0.02, 0.15])
            text = [word if rng.random() > edited else "new" for word in rng.choice(rows)]
        if number > 20 and number % 4 == 0:
            other = rng.choice(rows)
            text[10:10] = other[5 : 5 + rng.choice([25, 45])]
        rows.append(text)
    return [document(number, " ".join(text)) for number, text in enumerate(rows)]


BOTH = {
    "semantic": {"threshold": 0.85, "embedding": {"dimension": 32}},
    "substring": {"length": 20, "minimum": 30},
}


def ids_of(dataset: Dataset) -> set[str]:
    return {row.id for row in dataset.records(Document)}


def test_every_partner_is_kept_and_every_row_is_where_it_belongs(deduplicated):
    rows = corpus(1)
    dataset = deduplicated(rows, **BOTH)
    kept, texts = ids_of(dataset), {row.id: row.text for row in rows}
    entries = list(dataset.ledger())
    gone = [entry for entry in entries if entry.account == "rows"]
    assert kept.isdisjoint(entry.id for entry in gone)
    assert len(kept) + len(gone) == len(rows)
    assert {entry.partner for entry in entries} <= kept
    assert {entry.rule for entry in entries} >= {"exact", "near_duplicate", "semantic_duplicate", "shared_passage"}
    for entry in entries:
        if entry.account == "passages":
            assert entry.id in kept
            assert len(entry.row.split()) == int(entry.value) >= 20
            assert entry.row in texts[entry.id]
            assert entry.row in texts[entry.partner]
    account = dataset.manifest.accounts["passages"]
    assert account.total == account.dropped["shared_passage"] == sum(e.account == "passages" for e in entries)


def test_cut_rows_lose_their_passages_and_nothing_else(deduplicated):
    rows = corpus(2)
    dataset = deduplicated(rows, **BOTH)
    cut = {}
    for entry in dataset.ledger():
        if entry.account == "passages":
            first, last = map(int, re.match(r"words (\d+) to (\d+);", entry.detail).groups())
            cut.setdefault(entry.id, set()).update(range(first - 1, last))
    texts = {row.id: row.text.split() for row in rows}
    for row in dataset.records(Document):
        left = [word for place, word in enumerate(texts[row.id]) if place not in cut.get(row.id, ())]
        assert row.text.split() == left
    assert len(cut) > 10


def test_order_of_rows_and_workers_change_nothing(deduplicated):
    rows = corpus(3)
    one = deduplicated(rows, **BOTH, workers=1)
    random.Random(1).shuffle(rows)
    other = deduplicated(rows, **BOTH, workers=2)
    assert {row.id: row.text for row in one.records(Document)} == {r.id: r.text for r in other.records(Document)}
    ledgers = [sorted(e.model_dump_json() for e in dataset.ledger()) for dataset in (one, other)]
    assert ledgers[0] == ledgers[1]
    assert one.file("duplicates.json").read_bytes() == other.file("duplicates.json").read_bytes()


def test_rows_go_whole_where_they_consist_of_others(deduplicated):
    rng = random.Random(4)
    first, second, own = prose(rng, 80), prose(rng, 80), prose(rng, 30)
    rows = [document(n, " ".join(text)) for n, text in enumerate((first, second, first[:40] + own + second[:40]))]
    config = {"near": False, "keep": "first", "substring": {"action": "drop", "length": 20, "share": 0.7}}
    (entry,) = deduplicated(rows, **config).ledger()
    assert (entry.rule, entry.id) == ("mostly_shared", "doc-2")
    assert float(entry.value) == pytest.approx(80 / 110, abs=1e-5)
    assert entry.threshold == "0.3 of its words"
    assert entry.detail.startswith("2 passages; the longest with the partner: words ")
    config["substring"]["share"] = 0.75
    assert not list(deduplicated(rows, **config).ledger())


def test_too_little_left_drops_the_row(deduplicated):
    rng = random.Random(5)
    whole = prose(rng, 80)
    rows = [document(0, " ".join(whole)), document(1, " ".join([*whole[:60], "and", "more"]))]
    (entry,) = deduplicated(rows, near=False, substring={"length": 20, "minimum": 3}).ledger()
    assert (entry.rule, entry.partner, entry.threshold) == ("mostly_shared", "doc-0", "3 words")


def test_reported_passages_change_nothing(deduplicated):
    rng = random.Random(6)
    whole = prose(rng, 80)
    rows = [
        sample(0, "What?", f"Listen. {' '.join(whole)}"),
        sample(1, "And what?", f"İ say: {' '.join(whole[20:50])}! Really."),
    ]
    dataset = deduplicated(rows, Sample, field="answer", near=False, substring={"length": 20, "action": "report"})
    assert dataset.rows == 2
    line = json.loads(dataset.file("passages.jsonl").read_text())
    assert line == {
        "id": "sample-1", "partner": "sample-0", "words": 30, "first_word": 3, "first_word_of_partner": 22,
        "text": " ".join(whole[20:50]),
    }  # fmt: skip


def test_samples_are_not_cut(deduplicated):
    with pytest.raises(BadConfig, match="half a sample is no sample"):
        deduplicated([sample(0, "a", "b")], Sample, field="answer", substring={})


def test_meaning_by_a_sentence_transformer(deduplicated, colours):
    rows = [document(0, "red red red"), document(1, "scarlet red"), document(2, "blue"), document(3, "RED red")]
    dataset = deduplicated(rows, near=False, semantic={"threshold": 0.98, "embedding": colours})
    entries = {entry.id: (entry.rule, entry.partner) for entry in dataset.ledger()}
    kept = ids_of(dataset)
    assert len(kept) == 2
    assert "doc-2" in kept
    assert {rule for rule, _ in entries.values()} == {"semantic_duplicate"}


def test_a_row_dropped_for_one_that_goes_is_judged_again(deduplicated, colours):
    """doc-back has the words of doc-goes, which goes for its meaning; doc-back means something else and comes back."""
    rows = [
        document("kept", "scarlet red red red red red red", created_at="2026-01-01"),
        document("goes", f"w1 blue {'red ' * 9}", created_at="2026-01-02"),
        document("back", f"w1 red {'blue ' * 9}", created_at="2026-01-03"),
    ]
    config = {"keep": "oldest", "ngram": 1}
    before = {e.id: e.partner for e in deduplicated(rows, **config).ledger()}
    assert before == {"doc-back": "doc-goes"}
    semantic = {"threshold": 0.85, "embedding": colours}
    after = {e.id: e.partner for e in deduplicated(rows, **config, semantic=semantic).ledger()}
    assert after == {"doc-goes": "doc-kept"}


def test_vectors_are_computed_once(deduplicated, colours, monkeypatch):
    asked: list[str] = []
    embed = SentenceTransformer.embed

    def counted(self, texts):
        asked.extend(texts)
        return embed(self, texts)

    monkeypatch.setattr(SentenceTransformer, "embed", counted)
    config = {"semantic": {"threshold": 0.98, "embedding": colours}}
    rows = [document(0, "red"), document(1, "blue red"), document(2, "blue scarlet")]
    deduplicated(rows[:2], **config)
    deduplicated(rows, **config)
    assert sorted(asked) == ["blue red", "blue scarlet", "red"]


def test_a_damaged_object_of_the_cache_counts_as_absent(tmp_path):
    encoder = SentenceTransformer(write_model(tmp_path / "model", VECTORS))
    store = open_store(str(tmp_path / "cache"))
    with remembering(encoder, store) as memory:
        vectors = memory.embed(["red", "blue", "red"])
    assert np.array_equal(vectors, encoder.embed(["red", "blue", "red"]))
    store.write(f"{encoder.name}/damaged", b"no vectors")
    again = Remembering(encoder, store, tmp_path)
    assert np.array_equal(again.embed(["blue", "red"]), vectors[1::-1])
    assert again.computed == 0


def test_the_report_shows_the_largest_clusters(deduplicated):
    rows = [document(0, "one two three"), document(1, "ONE two three"), document(2, "one TWO three"), document(3, "x")]
    report = json.loads(deduplicated(rows, near=False).file("duplicates.json").read_text())
    exact = report["exact"]
    assert (exact["clusters"], exact["sizes"]) == (1, {"3": 1})
    (cluster,) = exact["largest"]
    assert cluster["size"] == 3
    assert len(cluster["members"]) == 2
    assert cluster["kept"]["text"].lower() == "one two three"
    assert report["semantic_duplicate"] == {"clusters": 0, "sizes": {}, "largest": []}


def test_the_page_shows_kept_and_dropped_rows_side_by_side(deduplicated):
    shared = " ".join(f"word{number}" for number in range(30))
    rows = [document("kept<1>", f"{shared} & <b>more</b>"), document("gone", f"{shared} else"), document("alone", "x")]
    page = deduplicated(rows, threshold=0.5).file("duplicates.html").read_text()
    assert "<b>1</b> near-duplicates, of 1 rows kept" in page
    assert "kept <b>doc-kept&lt;1&gt;</b>" in page
    assert "&amp; &lt;b&gt;more&lt;/b&gt;" in page
    assert "dropped <b>doc-gone</b> · Jaccard similarity <b>0." in page
    assert "<mark>else</mark>" in page
    assert "<mark>word0" not in page
    assert "Exact duplicates" not in page, "a rule that dropped nothing has no section"


def test_the_page_says_what_it_leaves_out(deduplicated):
    rows = [document(f"{family}-{copy}", f"family {family}") for family in range(LARGEST + 2) for copy in range(8)]
    page = deduplicated(rows, near=False).file("duplicates.html").read_text()
    assert f"At most {LARGEST} of {LARGEST + 2} clusters" in page
    assert page.count("<details") == LARGEST
    assert page.count("<article>") == LARGEST * MEMBERS
    assert page.count("and 2 more") == LARGEST
    assert "6–10<td>12<td" in page


def test_a_page_without_duplicates_says_so(deduplicated):
    assert (
        "No row repeats another."
        in deduplicated([document(0, "one"), document(1, "two")]).file("duplicates.html").read_text()
    )


def test_decisions_stand_in_the_next_run(deduplicated, tmp_path):
    rows = corpus(7)
    first = deduplicated(rows, **BOTH)
    more = [document(f"new{n}", row.text) for n, row in enumerate(corpus(8))]
    second = deduplicated(rows + more, **BOTH, previous={"uri": first.uri})
    before = {row.id: row.text for row in first.records(Document)}
    after = {row.id: row.text for row in second.records(Document)}
    assert {name: after.get(name) for name in before} == before
