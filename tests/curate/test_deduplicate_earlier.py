"""deduplicate against other datasets and its own earlier results: only new rows are compared, survivors stay."""

import json
import random

import pytest

from contract.failures import BadInput
from contract.records import Document
from contract.release import LATEST_FILE, Release
from contract.stages import BY_NAME
from curate_texts import document, similarity, write_dataset
from stagekit.dataset import Dataset, open_dataset
from stagekit.request import build_request
from stagekit.run import run_stage as commit

SETTINGS = {"ngram": 2, "threshold": 0.6}


@pytest.fixture
def deduplicated(tmp_path, monkeypatch):
    """Runs deduplicate over rows in this process; the store's root is the test's folder."""
    monkeypatch.setenv("NOCTURNE_STORE", str(tmp_path))
    number = iter(range(100))

    def call(rows: list[Document], **config) -> Dataset:
        uri = write_dataset(tmp_path / f"rows{next(number)}", rows, Document)
        request = build_request(
            BY_NAME["deduplicate"], json.dumps(SETTINGS | config), [f"rows={uri}"], f"{tmp_path}/deduplicate/"
        )
        commit(request)
        return open_dataset(request.address)

    return call


def texts(seed: int, count: int) -> list[str]:
    """Families of alike texts over few words."""
    rng = random.Random(seed)
    families = [[f"w{rng.randrange(40)}" for _ in range(12)] for _ in range(count // 4)]
    return [" ".join([*rng.choice(families)[: rng.randrange(8, 13)], f"w{rng.randrange(40)}"]) for _ in range(count)]


def ids_of(dataset: Dataset) -> set[str]:
    return {row.id for row in dataset.records(Document)}


def ledger_of(dataset: Dataset) -> dict[str, tuple]:
    return {entry.id: (entry.rule, entry.value, entry.partner) for entry in dataset.ledger()}


def test_rows_of_another_dataset_are_not_repeated(deduplicated, tmp_path):
    other = [document("other", "one two three four five six seven"), document("same", "what both hold word for word")]
    uri = write_dataset(tmp_path / "other", other, Document)
    rows = [
        document(0, "One  two three four five six SEVEN"),
        document(1, "one two three four five six seven eight"),
        document("same", "what both hold word for word"),
        document(3, "nothing of the kind"),
    ]
    found = deduplicated(rows, against=[{"uri": uri}])
    assert ids_of(found) == {"doc-3"}
    assert {entry.id: (entry.rule, entry.partner) for entry in found.ledger()} == {
        "doc-0": ("exact", "doc-other"),
        "doc-1": ("near_duplicate", "doc-other"),
        "doc-same": ("exact", "doc-same"),
    }
    assert found.manifest.parents[1].uri == uri


@pytest.mark.parametrize("keep", ["longest", "first"])
def test_survivors_stay_and_only_new_rows_are_compared(deduplicated, keep):
    old = [document(n, text) for n, text in enumerate(texts(1, 200))]
    first = deduplicated(old, keep=keep)
    new = [document(f"new{n}", f"{text} {text}") for n, text in enumerate(texts(1, 200)[::5])]
    second = deduplicated(new + old, keep=keep, previous={"uri": first.uri})
    assert second.manifest.metrics["remembered_rows"] == len(old)
    kept = ids_of(second)
    assert ids_of(first) <= kept
    assert {i: entry for i, entry in ledger_of(second).items() if "new" not in i} == ledger_of(first)
    by_id = {row.id: row.text for row in old + new}
    for entry in second.ledger():
        assert entry.partner in kept
        found = similarity(by_id[entry.id], by_id[entry.partner], 2)
        assert found >= 0.6 or entry.rule == "exact"
    assert second.manifest.metrics["candidate_pairs"] < first.manifest.metrics["candidate_pairs"]
    assert deduplicated(new + old, keep=keep, previous={"uri": second.uri}).manifest.content_hash == (
        second.manifest.content_hash
    )


def test_what_a_vanished_row_had_displaced_comes_back(deduplicated):
    rows = [document(0, "one two three four five six"), document(1, "one two three four five six seven")]
    first = deduplicated(rows)
    assert ids_of(first) == {"doc-1"}
    assert ids_of(deduplicated(rows[:1], previous={"uri": first.uri})) == {"doc-0"}


def test_a_changed_text_is_a_new_row(deduplicated):
    rows = [document(0, "one two three four five six"), document(1, "a b c d e f g h i")]
    first = deduplicated(rows)
    changed = [rows[0], document(1, "one two three four five six seven eight")]
    assert ids_of(deduplicated(changed, previous={"uri": first.uri})) == {"doc-0"}


def test_other_settings_compare_all_rows_again_but_prefer_what_was_kept(deduplicated):
    rows = [document(0, "a b c d e f g h"), document(1, "a b c d e f g h i j k"), document(2, "a b c d e x y")]
    first = deduplicated(rows[:1])
    strict = deduplicated(rows, threshold=0.6, previous={"uri": first.uri})
    assert ids_of(strict) == {"doc-0", "doc-2"}
    assert "doc-0" in ids_of(deduplicated(rows, threshold=0.61, previous={"uri": first.uri}))
    other = deduplicated(rows, ngram=1, previous={"uri": first.uri})
    assert other.manifest.metrics["remembered_rows"] == 0


def test_two_copies_of_a_remembered_row_stay_one(deduplicated):
    row = document(0, "one two three four")
    first = deduplicated([row])
    assert deduplicated([row, row], previous={"uri": first.uri}).rows == 1


def test_a_recipe_can_name_its_own_last_version(deduplicated, tmp_path):
    rows = [document(n, text) for n, text in enumerate(texts(2, 50))]
    latest = {"previous": {"uri": "publish/latest"}}
    first = deduplicated(rows, **latest)
    assert first.manifest.metrics["remembered_rows"] == 0
    write_dataset(tmp_path / "publish" / "k1", rows, Document, stage="publish", parents=[("rows", first.uri)])
    release = Release(version=1, key="k1", content_hash="0", rows=50, published_at="2026-01-01T00:00:00Z")
    (tmp_path / "publish" / LATEST_FILE).write_text(release.model_dump_json())
    second = deduplicated(rows, **latest)
    assert second.uri != first.uri
    assert second.manifest.metrics["remembered_rows"] == 50
    assert second.manifest.content_hash == first.manifest.content_hash


def test_a_dataset_to_be_compared_with_must_be_there(deduplicated):
    with pytest.raises(BadInput, match="no finished dataset"):
        deduplicated([document(0, "a")], against=[{"uri": "nowhere"}])
