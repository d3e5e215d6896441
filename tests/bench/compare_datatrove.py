"""Verdicts of the published rules beside datatrove's, on real texts: who drops what, and why they differ.

    PYTHONPATH=images/shared:images/curate .venv/curate/bin/python tests/bench/compare_datatrove.py --peer-python PYTHON

PYTHON has `datatrove[processing]==0.10.1`, orjson and spacy. The texts: the longer short rows (over 1,000 characters),
and the long descriptions and text files of all installed distributions; 5,000 in all. A difference is explained by
`tokens` where the same measures on spaCy's tokens give datatrove's verdict (C4: where only its count of sentences, made
from tokens, decides); any other is `unexplained`, and the script then ends with 1.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from contract.config.filter import FilterConfig
from curate.filter.arrays import Wanted
from curate.filter.files import Files
from curate.filter.measures import measure
from curate.filter.rows import Mask, Rows
from curate.filter.rules import active_rules, families

ROOT = Path(__file__).resolve().parent.parent.parent
PEER = Path(__file__).with_name("datatrove_peer.py")
DATA = Path(os.environ.get("NOCTURNE_SHARED_DATA", "../shared/data")) / "neardup" / "short.parquet"
SWITCHES = ("gopher_repetition", "gopher_quality", "c4", "fineweb")
TEXTS, LEAST, MOST = 5_000, 500, 100_000


def texts() -> list[str]:
    """Long descriptions and text files first, then longer rows, up to 5,000."""
    found: dict[str, None] = {}
    packages = ROOT.glob(".venv/*/lib/python*/site-packages/**/*")
    for path in sorted(path for path in packages if path.suffix in (".md", ".rst", ".txt") or path.name == "METADATA"):
        text = path.read_bytes().decode("utf-8", "replace")
        text = text.partition("\n\n")[2] if path.name == "METADATA" else text
        if LEAST <= len(text) <= MOST:
            found[text] = None
    rows = [text for text in pq.read_table(DATA, columns=["text"])["text"].to_pylist() if len(text) > 1_000]
    documents = list(found)[: TEXTS // 2]
    return documents + random.Random(0).sample(rows, TEXTS - len(documents))


class Cut(Rows):
    """Rows whose measures were taken before."""

    def __init__(self, column: pa.Array, measures: Wanted) -> None:
        super().__init__(column)
        self.measures = measures


def drops(switch: str, column: pa.Array, cut: list[list[str]] | None) -> dict[str, Mask]:
    """What each rule of a family drops, with own tokens or those given."""
    config = FilterConfig.model_validate({"quality": {switch: True}})
    rows = Cut(column, measure(column, families(config), cut))
    return {rule.name: rule.check(rows).fails for rule in active_rules(config, Files(Path()))}


def verdicts(python: str, some: list[str]) -> list[dict]:
    """What datatrove says of each text."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "texts.jsonl"), Path(folder, "out.json")
        source.write_text("".join(json.dumps(text) + "\n" for text in some))
        command = [python, str(PEER), "verdicts", str(source), str(target)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        return json.loads(target.read_text())


def compare(switch: str, column: pa.Array, peer: list[dict]) -> int:
    """Print a line; returns how many differences nothing explains."""
    own = drops(switch, column, None)
    ours = np.logical_or.reduce(list(own.values()))
    theirs = np.array([verdict[switch] is not None for verdict in peer])
    differ = ours != theirs
    if switch == "c4":
        counted = np.array([verdict["c4"] in (None, "too_few_sentences") for verdict in peer])
        explained = counted & ~own["c4_lorem_ipsum"] & ~own["c4_curly_bracket"]
    else:
        cut = drops(switch, column, [verdict["tokens"] for verdict in peer])
        explained = np.logical_or.reduce(list(cut.values())) == theirs
    counts = (~ours & ~theirs, ours & theirs, ours & ~theirs, ~ours & theirs, differ & explained, differ & ~explained)
    print(f"{switch:<20}" + "".join(f"{int(count.sum()):>13,}" for count in counts), flush=True)
    return int((differ & ~explained).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer-python", required=True)
    some = texts()
    peer = verdicts(parser.parse_args().peer_python, some)
    column = pa.array(some, pa.large_string())
    heads = ("both keep", "both drop", "only ours", "only theirs", "tokens", "unexplained")
    print(f"{len(some):,} texts".ljust(20) + "".join(f"{head:>13}" for head in heads))
    sys.exit(1 if sum([compare(switch, column, peer) for switch in SWITCHES]) else 0)


if __name__ == "__main__":
    main()
