"""Datasets as decontaminate leaves them for a model to check, a model that knows better, a case for each field."""

import json
from pathlib import Path
from typing import Any

from contract.config.decontaminate import TO_CHECK
from contract.manifest import MANIFEST, File, parse_manifest
from contract.records import Document, Record
from curate_texts import document, write_dataset
from every_field import Case
from llm_cases import Faults, shared_cases
from stagekit.checksums import file_sha256

TASK = "Count the vowels of a word and return their number."
PAIRS = [
    {"benchmark": "exam", "item": n + 1, "row": f"doc-{n}", "score": 0.5 + n / 100, "item_text": TASK, "row_text": text}
    for n, text in enumerate(
        [
            f"{'Once upon a time there was a word. ' * 5}How many of its letters are vowels? Say the number.",
            "Sort the letters of a word.",
            "Given a word, tell how often a, e, i, o or u stand in it.",
            "Count the clouds of a sky.",
        ]
    )
]
ROWS = [document(n, pair["row_text"]) for n, pair in enumerate(PAIRS)] + [document("other", "Nobody asks about it.")]


def write_pairs(
    folder: Path, rows: list[Record] = ROWS, pairs: list[dict] = PAIRS, record: type[Record] = Document
) -> str:
    """A dataset of rows with its pairs; returns its path."""
    write_dataset(folder, rows, record, stage="decontaminate")
    path = folder / TO_CHECK
    path.parent.mkdir()
    path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    manifest = parse_manifest((folder / MANIFEST).read_bytes(), str(folder))
    entry = File(path=TO_CHECK, bytes=path.stat().st_size, sha256=file_sha256(path), hashed=True)
    (folder / MANIFEST).write_text(manifest.model_copy(update={"files": [entry]}).model_dump_json())
    return str(folder)


def knows(body: dict[str, Any]) -> dict[str, Any]:
    """Says yes where the text speaks of vowels, by name or by letter."""
    text = body["messages"][1]["content"].rpartition("<text>")[2]
    return {"reason": "as asked", "rephrases": "vowels" in text or "a, e, i, o or u" in text}


CASES: list[tuple[Case, Faults]] = [
    (Case("shard_rows", 1, "shards 3 and 2"), {}),
    (Case("prompt", "rephrased-2", "In verse, please."), {}),
    (Case("characters", 100, "Once upon a time there was a word. Once"), {}),
    (Case("unchecked", "drop", '"rule": "unchecked"'), {"refusal": 1.0}),
    *shared_cases(requests=4, trouble=0.5, money=1.0, tokens=1_000),
]
