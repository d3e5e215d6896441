"""Every config field of ingest, clean, filter and chunk is read: changed from its value, it changes what comes out."""

import json

import pytest

from contract.failures import Failure
from contract.records import Document, Sample
from contract.stages import BY_NAME
from curate_texts import document, sample, write_dataset
from stagekit.cli_help import config_fields
from stagekit.request import build_request
from stagekit.run import run_stage as run_in_process

LONG = "The lamp with a green shade stood on the table. " * 4
TEXTS = [
    f"<b>Bold</b> words.\nShare this post\n{LONG}",
    "# Head\n\nOne. Two! " + "x" * 90 + "\n\n# Next\n\n" + LONG,
    "tiny",
]
SAMPLES = [
    sample(1, "Explain the extract.", "An answer, plainly {so}.", license="MIT"),
    sample(2, "Name two red fruits", "Name two red fruits, you say. I’m sorry, but I cannot help.", license="MIT"),
    sample(3, "What is it?", "no", license="GPL"),
    sample(4, "Show code.", "```python\ndef f(:\n```", license="MIT"),
    sample(5, "A long one.", "\n".join(["Same line again."] * 9), license="MIT"),
]
BASES = {
    "ingest": {"sources": [{"uri": "RAW", "fields": {"id": "key"}}], "max_rejected": 0.5},
    "clean": {},
    "filter": {"field": "answer", "length": {"minimum": 4}},
    "chunk": {"minimum": 10, "maximum": 60},
}

CHANGES = {
    "ingest": {
        "sources[].uri": "RAW/a.jsonl", "sources[].name": "other", "sources[].format": "text",
        "sources[].pattern": "*.jsonl", "sources[].records_at": "items", "sources[].text": ["text", "more"],
        "sources[].join": " + ", "sources[].fields": {"author": "by"}, "sources[].metadata": ["by"],
        "sources[].constants": {"license": "MIT"}, "max_rejected": 0, "max_row_bytes": 1_000,
    },
    "clean": {"mappers": ["plain"], "boilerplate": ["Bold"], "min_characters": 10},
    "filter": {
        "field": "instruction", "length.unit": "words", "length.minimum": 3, "length.maximum": 30,
        "keywords.exclude": ["plainly"], "keywords.include": ["plainly"], "format.must_match": "plain",
        "format.must_not_match": "plain", "format.valid_json": True, "format.ends_like_a_sentence": True,
        "format.code_parses": True, "quality.gopher_quality": True, "quality.gopher_repetition": True,
        "quality.c4": True, "quality.fineweb": True, "samples.refusals": True, "samples.mentions_source": True,
        "samples.copies_instruction": 0.9, "licenses": ["mit"], "audit": True,
    },
    "chunk": {"strategy": "markdown", "minimum": 50, "maximum": 200, "oversize": "cut"},
}  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "raw").mkdir()
    rows = [{"key": n, "text": f"Text {n}.", "more": "More.", "by": "Ada"} for n in range(4)] + [{"key": 9, "text": ""}]
    rows.append({"key": 10, "text": "long " * 300})
    (folder / "raw" / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "raw" / "b.json").write_text(json.dumps({"text": ["Whole", "file."], "items": [{"text": "An item."}]}))
    documents = write_dataset(folder / "documents", [document(n, text) for n, text in enumerate(TEXTS)], Document)
    return {
        "raw": folder / "raw",
        "documents": documents,
        "samples": write_dataset(folder / "samples", SAMPLES, Sample),
    }


def outcome(stage, config, inputs, place):
    """What a stage makes of a config: content and books, or its failure."""
    text = json.dumps(config).replace("RAW", str(inputs["raw"]))
    rows = inputs["samples" if stage == "filter" else "documents"]
    request = build_request(BY_NAME[stage], text, [] if stage == "ingest" else [f"rows={rows}"], f"{place}/")
    try:
        manifest = run_in_process(request)
    except Failure as failure:
        return failure.sentence()
    return manifest.content_hash, manifest.accounts, manifest.dropped_shards, len(manifest.shards)


def changed(config, field, value):
    """The config with one dotted field changed; `[]` stands for the first item of a list."""
    config = json.loads(json.dumps(config))
    *path, last = field.split(".")
    inner = config
    for part in path:
        inner = inner[part[:-2]][0] if part.endswith("[]") else inner.setdefault(part, {})
    inner[last] = value
    return config


@pytest.mark.parametrize("stage", CHANGES)
def test_each_field_changes_something(stage, inputs, tmp_path):
    base = outcome(stage, BASES[stage], inputs, tmp_path)
    assert not isinstance(base, str), base
    fields = CHANGES[stage] | {"shard_rows": 1}
    same = [f for f, v in fields.items() if outcome(stage, changed(BASES[stage], f, v), inputs, tmp_path / f) == base]
    assert not same


@pytest.mark.parametrize("stage", CHANGES)
def test_no_field_is_left_out_here(stage):
    names = [name for name, *_ in config_fields(BY_NAME[stage].config)]
    leaves = {name for name in names if not any(other.startswith((f"{name}.", f"{name}[].")) for other in names)}
    assert set(CHANGES[stage]) | {"shard_rows"} == leaves
