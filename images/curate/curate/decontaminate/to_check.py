"""Pairs of a kept row and the item that it may rephrase, for a person or a model to judge: one JSON object a line."""

import json
from collections.abc import Sequence

from contract.config.decontaminate import TO_CHECK
from curate.decontaminate.benchmarks import Item
from curate.decontaminate.rephrased.rule import Rephrasing
from curate.text import Strings
from stagekit.output import Output


class ToCheck:
    """The file, filled batch by batch; it is part of the dataset from `close` on."""

    def __init__(self, output: Output, items: Sequence[Item]) -> None:
        self._output, self._items = output, items
        self._path = output.workdir / TO_CHECK
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_bytes(b"")
        self._count = 0

    def add(self, unsure: Sequence[Rephrasing], texts: Strings, ids: Sequence[str]) -> None:
        """Append the pairs of a batch."""
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(self._line(found, texts[found.row].as_py(), ids[found.row]) for found in unsure)
        self._count += len(unsure)

    def close(self) -> None:
        """Add the file to the output, and the number of its pairs to the metrics."""
        self._output.add_file(TO_CHECK)
        self._output.metrics["rows_to_check"] = self._count

    def _line(self, found: Rephrasing, text: str, row: str) -> str:
        item = self._items[found.item]
        value = {
            "benchmark": item.benchmark,
            "item": item.number,
            "row": row,
            "score": round(found.score, 6),
            "item_text": item.text,
            "row_text": text,
        }
        return json.dumps(value, ensure_ascii=False) + "\n"
