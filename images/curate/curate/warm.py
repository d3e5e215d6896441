"""Compile every kernel ahead of time, by walking a few texts through the stages that have kernels.

`python -m curate.warm` fills the folder that `NUMBA_CACHE_DIR` names, so that a container's first stage starts at once;
on a processor of another kind than the one it ran on, kernels are compiled again when they are first called.
"""

import json
import logging
import tempfile
from pathlib import Path
from typing import Any

from contract.stages import BY_NAME
from stagekit.request import build_request
from stagekit.run import run_stage

TEXT = "The quick brown fox jumps over the lazy dog, and that was to be seen of all with whom it has to have been. "
TEXTS = (TEXT * 3, TEXT.upper() * 3, f"{TEXT * 3}Ende.", "Größe 東京", "")
QUALITY = {"gopher_quality": True, "gopher_repetition": True, "c4": True, "fineweb": True}
RULES = {"any_match": True, "near": 0.5, "weighted": 0.8, "rephrased": {}}


def walk(raw: str) -> list[tuple[str, dict[str, Any]]]:
    """Stages with configs that use all of their kernels."""
    benchmark = {"name": "warm", "uri": raw, "fields": ["text"]}
    return [
        ("ingest", {"sources": [{"uri": raw}], "max_rejected": 1}),
        ("filter", {"quality": QUALITY, "keywords": {"exclude": ["lazy dog"]}, "audit": True}),
        ("deduplicate", {"semantic": {}, "substring": {}}),
        ("decontaminate", {"benchmarks": [benchmark]} | RULES),
    ]


def main() -> None:
    """Walk the stages in a temporary folder."""
    logging.getLogger("nocturne").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "rows.jsonl")
        raw.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS), encoding="utf-8")
        rows: list[str] = []
        for stage, config in walk(str(raw)):
            request = build_request(BY_NAME[stage], json.dumps(config), rows, f"{folder}/{stage}")
            run_stage(request)
            rows = [f"rows={request.address}"]


if __name__ == "__main__":
    main()
