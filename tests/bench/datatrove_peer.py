"""What datatrove decides about texts; run by compare_datatrove.py and bench_filter.py in datatrove's own Python.

    PEER_PYTHON tests/bench/datatrove_peer.py verdicts|rate TEXTS.jsonl OUT.json

`verdicts` writes, for each text, what each of the four filters says and spaCy's tokens; `rate` the seconds that a
filter takes for all of them.
"""

import json
import sys
import time

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.utils.text import split_into_words

FILTERS = {
    "gopher_repetition": GopherRepetitionFilter,
    "gopher_quality": GopherQualityFilter,
    "c4": C4QualityFilter,
    "fineweb": FineWebQualityFilter,
}


def verdict(step, text: str) -> str | None:
    """The reason for which a filter drops a text, or None."""
    result = step.filter(Document(text=text, id="0"))
    return None if result is True else result[1]


def verdicts(texts: list[str]) -> list[dict]:
    steps = {name: kind() for name, kind in FILTERS.items()}
    return [
        {name: verdict(step, text) for name, step in steps.items()} | {"tokens": split_into_words(text)}
        for text in texts
    ]


def rates(texts: list[str]) -> dict[str, float]:
    seconds = {}
    for name, kind in FILTERS.items():
        step = kind()
        verdict(step, "Loads the tokenizer.")
        started = time.perf_counter()
        for text in texts:
            verdict(step, text)
        seconds[name] = time.perf_counter() - started
    return seconds


if __name__ == "__main__":
    task, source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as lines:
        read = [json.loads(line) for line in lines]
    with open(target, "w", encoding="utf-8") as out:
        json.dump({"verdicts": verdicts, "rate": rates}[task](read), out)
