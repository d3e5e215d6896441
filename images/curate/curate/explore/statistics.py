"""What a set of samples is like: lengths, vocabulary, repetition, origin."""

import re
from collections import Counter
from collections.abc import Sequence
from statistics import mean, median
from typing import Any

from contract.keys import digest
from contract.records import Sample
from curate.explore.histograms import histogram, score_histogram
from curate.explore.terms import COMMON, terms_of
from curate.shingles import Ragged, distinct, join, ngrams, words

FIELDS = ("instruction", "answer")
ORDERS = (1, 2, 3, 4)
WORD = re.compile(r"\w+")


class Statistics:
    """Takes samples in, batch by batch; memory grows with the words of the texts, eight bytes each."""

    def __init__(self, examples: int) -> None:
        self.examples = examples
        self.samples = self.turns = 0
        self.origin: dict[str, Counter[str]] = {
            name: Counter() for name in ("kind", "source", "license", "author", "model", "tag")
        }
        self.openings: Counter[str] = Counter()
        self.frequent: Counter[str] = Counter()
        self.scores: dict[str, list[float]] = {}
        self.documents: set[str] = set()
        self._words: dict[str, list[Ragged]] = {name: [] for name in FIELDS}
        self._chosen: list[tuple[str, Sample]] = []

    def add(self, samples: Sequence[Sample]) -> None:
        """Count one batch."""
        for sample in samples:
            self._count(sample)
        for name in FIELDS:
            self._words[name].append(words([getattr(sample, name) for sample in samples]))
        chosen = [(digest([sample.id]), sample) for sample in samples] + self._chosen
        self._chosen = sorted(chosen, key=lambda pair: pair[0])[: self.examples]

    def conversations(self) -> list[Sample]:
        """A few samples, the same ones whatever their order."""
        return [sample for _, sample in self._chosen]

    def as_json(self) -> dict[str, Any]:
        """All figures, ready to be written."""
        return {
            "samples": self.samples,
            "documents": len(self.documents),
            "messages": self.turns,
            "text": {name: _of_text(join(parts)) for name, parts in self._words.items()},
            "origin": {name: _ranked(counter) for name, counter in self.origin.items()},
            "openings": _ranked(self.openings, 15),
            "frequent_words": self._frequent(40),
            "scores": {
                name: _spread(values) | {"scored": len(values), "histogram": score_histogram(values)}
                for name, values in sorted(self.scores.items())
            },
        }

    def _count(self, sample: Sample) -> None:
        self.samples += 1
        self.turns += len(sample.messages)
        values = (sample.kind, sample.source, sample.license, sample.author, sample.model)
        for name, value in zip(self.origin, values, strict=False):
            self.origin[name][value or "(none)"] += 1
        self.origin["tag"].update(sample.tags)
        if sample.document_id:
            self.documents.add(sample.document_id)
        for name, score in sample.scores.items():
            self.scores.setdefault(name, []).append(score)
        self.openings[" ".join(WORD.findall(sample.instruction.lower())[:2])] += 1
        self.frequent.update(set(terms_of(sample.answer)))

    def _frequent(self, most: int) -> list[tuple[str, int]]:
        """Words by how many answers hold them, without English grammar and what most answers hold."""
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS  # a second to import, only here

        limit = max(COMMON * self.samples, 1)
        told = {word: count for word, count in self.frequent.items() if count <= limit}
        return _ranked(Counter({word: count for word, count in told.items() if word not in ENGLISH_STOP_WORDS}), most)


def _of_text(found: Ragged) -> dict[str, Any]:
    lengths = found.lengths
    return {
        "words": _spread(lengths.tolist()),
        "histogram": histogram(lengths.tolist()),
        "vocabulary": len(distinct(found.values)),
        "distinct_ngrams": {str(n): _distinct(ngrams(found, n, short=False)) for n in ORDERS},
    }


def _distinct(grams: Ragged) -> float | None:
    """Share of n-grams that are different ones: 1 where nothing repeats."""
    return round(len(distinct(grams.values)) / len(grams.values), 4) if len(grams.values) else None


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    ordered = sorted(values)
    return {
        "total": round(sum(ordered), 3),
        "mean": round(mean(ordered), 2),
        "median": median(ordered),
        "p95": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        "min": ordered[0],
        "max": ordered[-1],
    }


def _ranked(counter: Counter[str], most: int | None = None) -> list[tuple[str, int]]:
    """Most frequent first, ties by name."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:most]
