"""decontaminate, candidates by an encoder: nearest as plain loops find them; a whole run that finds by meaning only."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.failures import BadInput
from contract.records import Document
from contract.stages import BY_NAME
from curate.decontaminate.rephrased import meaning
from curate.decontaminate.rephrased.meaning import NearestItems, nearest
from curate.embed.embedder import unit
from curate.embed.transformer import SentenceTransformer
from curate_texts import document, read, write_dataset
from stagekit.request import build_request
from stagekit.run import run_stage
from tiny_onnx import write_model

AXES = st.lists(st.integers(-3, 3), min_size=4, max_size=4)
WRITES = "Writes functions counting letters, sorting the results: apples come before winter"
INFLECTED = "Write function to count letter, sort the result: apples come before winters. Then a gardener gives to each"
GARDENER = "a gardener gives to each daughter"
BUY, PURCHASE = "Buy that car today", "purchase an automobile now"
VECTORS = {
    "[UNK]": [0.0, 0, 0], "write": [1.0, 0, 0], "writes": [1.0, 0, 0], "gardener": [0, 0.5, 0],
    "buy": [0, 0, 1.0], "purchase": [0, 0, 1.0],
}  # fmt: skip


@given(st.lists(AXES, max_size=5), st.lists(AXES, min_size=1, max_size=7), st.integers(1, 4))
def test_the_nearest_items_are_those_of_highest_cosine(rows, items, k):
    left, right = (unit(np.array(some, np.float32).reshape(-1, 4)) for some in (rows, items))
    found = nearest(left, right, k)
    for row, places, near in zip(left, found.items.tolist(), found.cosines.tolist(), strict=True):
        every = [sum(float(a) * float(b) for a, b in zip(row, item, strict=True)) for item in right]
        best = sorted((place for place, value in enumerate(every) if value > 1e-3), key=lambda p: (-every[p], p))[:k]
        assert places == best + [-1] * (k - len(best))
        assert near[: len(best)] == pytest.approx([every[place] for place in best])


def test_blocks_and_other_rows_change_nothing(tmp_path, monkeypatch):
    model = SentenceTransformer(write_model(tmp_path / "model", VECTORS, longest=64))
    items, rows = [WRITES, GARDENER, PURCHASE, PURCHASE], [INFLECTED, BUY, "", "nothing known", GARDENER]
    together = NearestItems(items, model, 2).candidates(rows)
    monkeypatch.setattr(meaning, "PRODUCTS", 5)
    blocks = NearestItems(items, model, 2).candidates(rows)
    assert together.items.tolist() == blocks.items.tolist() == [[0, 1], [2, 3], [-1, -1], [-1, -1], [1, -1]]
    assert together.cosines.tolist() == blocks.cosines.tolist()
    alone = [NearestItems(items, model, 2).candidates([row]) for row in rows]
    assert together.cosines.tolist() == [found.cosines[0].tolist() for found in alone]
    assert NearestItems(items, model, 2).candidates([]).items.shape == (0, 2)


@pytest.fixture
def decontaminated(tmp_path, monkeypatch):
    """Runs the stage in this process over three rows, with a config for rephrased items; returns the dataset."""
    monkeypatch.setenv("NOCTURNE_CACHE", str(tmp_path / "cache"))
    rows = [document("inflected", INFLECTED), document("bought", BUY), document("other", "Nothing of the kind")]
    uri = write_dataset(tmp_path / "in", rows, Document)
    items = tmp_path / "items.jsonl"
    items.write_text("".join(json.dumps({"question": text}) + "\n" for text in (WRITES, GARDENER, PURCHASE)))
    benchmark = {"name": "exam", "uri": str(items), "fields": ["question"]}

    def call(rephrased):
        config = json.dumps({"benchmarks": [benchmark], "rephrased": rephrased})
        request = build_request(BY_NAME["decontaminate"], config, [f"rows={uri}"], f"{tmp_path}/out/")
        run_stage(request)
        return read(str(request.address))

    return call


def test_pairs_that_only_an_encoder_finds(decontaminated, tmp_path):
    assert decontaminated({"candidates": 1}).manifest.rows_out == 3
    model = write_model(tmp_path / "model", VECTORS, longest=64)
    embedding = {"model": str(model), "candidates": 1, "cosine": 0.95}
    dataset = decontaminated({"candidates": 1, "embedding": embedding})
    ledger = {entry.id: entry for entry in dataset.ledger()}
    assert {(entry.id, entry.rule, entry.partner) for entry in ledger.values()} == {
        ("doc-inflected", "rephrased", "exam:1"),
        ("doc-bought", "rephrased", "exam:3"),
    }
    assert ledger["doc-inflected"].threshold == "0.9"  # by the second look
    assert (float(ledger["doc-bought"].value), ledger["doc-bought"].threshold) == (1.0, "0.95")  # by cosine
    assert dataset.manifest.metrics["encoder"].startswith("onnx-")
    assert len([path for path in (tmp_path / "cache" / "embeddings").rglob("*") if path.is_file()]) == 1


def test_another_model_in_the_folder_is_another_result(decontaminated, tmp_path):
    rephrased = {"embedding": {"model": str(write_model(tmp_path / "model", VECTORS)), "cosine": 0.95}}
    first = decontaminated(rephrased)
    assert decontaminated(rephrased).uri == first.uri
    write_model(tmp_path / "other", VECTORS | {"purchase": [0, 1.0, 0]})
    (tmp_path / "other" / "onnx" / "model.onnx").replace(tmp_path / "model" / "onnx" / "model.onnx")
    second = decontaminated(rephrased)
    assert second.uri != first.uri
    assert second.manifest.rows_out == first.manifest.rows_out + 1


def test_a_folder_without_a_model_is_explained(decontaminated, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "README.md").write_text("no model")
    with pytest.raises(BadInput, match="no ONNX model") as raised:
        decontaminated({"embedding": {"model": str(tmp_path / "empty")}})
    assert "sentence-transformers[onnx]" in raised.value.sentence()
