"""How much the recipe's own rules would catch: perturbed copies of the items, sent through the same matcher."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa

from curate.decontaminate.benchmarks import Item
from curate.decontaminate.matching import Matcher
from curate.decontaminate.perturb import COPY, KINDS, perturbed

MOST = 1_000  # items tried of each benchmark, evenly spread over it
BATCH = 2_000
PARAPHRASE = "paraphrase"
WORD = re.compile(r"[^\W\d_]+")


class Recall(NamedTuple):
    """Copies of one kind tried and caught, and how many of them each rule would have caught by itself."""

    benchmark: str
    kind: str
    tried: int
    caught: int
    rules: dict[str, int]

    @property
    def share(self) -> float:
        """Share of the copies caught (0 to 1)."""
        return self.caught / self.tried if self.tried else 0.0


def measured(matcher: Matcher, items: Sequence[Item], paraphrases: Mapping[str, Sequence[str]]) -> list[Recall]:
    """The recall of each benchmark and kind of change, in that order; a copy counts as caught when any rule drops it.

    A copy that a change leaves as it was is not tried. `paraphrases` holds rewordings by benchmark; empty ones are left
    out.
    """
    found: list[Recall] = []
    for benchmark in dict.fromkeys(item.benchmark for item in items):
        own = [item for item in items if item.benchmark == benchmark and item.text.strip()]
        some = own[:: -(-len(own) // MOST) or 1]
        others = sorted({word for item in some for word in WORD.findall(item.text)}) or ["word"]
        for kind in KINDS:
            copies = [perturbed(item.text, kind, item.name, others) for item in some]
            changed = [copy for copy, item in zip(copies, some, strict=True) if kind == COPY or copy != item.text]
            found.append(_caught(matcher, benchmark, kind, changed))
        reworded = [text for text in paraphrases.get(benchmark, ()) if text.strip()]
        if reworded:
            found.append(_caught(matcher, benchmark, PARAPHRASE, reworded))
    return found


def _caught(matcher: Matcher, benchmark: str, kind: str, copies: Sequence[str]) -> Recall:
    rules: Counter[str] = Counter()
    caught = 0
    for batch in _batches(copies):
        for matches in matcher.matches(batch).held.values():
            caught += 1
            rules.update({match.rule for match in matches})
    return Recall(benchmark, kind, len(copies), caught, dict(sorted(rules.items())))


def _batches(texts: Sequence[str]) -> Iterator[pa.Array]:
    for start in range(0, len(texts), BATCH):
        yield pa.array(texts[start : start + BATCH], pa.large_string())
