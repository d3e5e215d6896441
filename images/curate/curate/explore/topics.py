"""What samples are about: topics with their terms, figures and typical samples, and a map."""

from collections.abc import Sequence
from statistics import mean
from typing import Any, NamedTuple

import numpy as np

from contract.config.explore import Topics
from curate.explore.draw import Drawn
from curate.explore.space import NONE, Numbers, Points, clusters_of, places_of, vectors_of
from curate.explore.terms import Terms, count_terms, telling
from stagekit.store import Store

FEW = 10  # samples below which nobody needs topics
LABEL = 3  # terms that name a topic


class Spot(NamedTuple):
    """A sample on the map, from 0 to 1 each way; topic 0 is none."""

    id: str
    x: float
    y: float
    topic: int
    instruction: str


class Found(NamedTuple):
    """Topics by size, numbered from 1, with their figures; of each sample drawn its topic, 0 for none; the map."""

    topics: list[dict[str, Any]]
    of_samples: dict[str, int]
    spots: list[Spot]

    def summary(self, samples: int) -> dict[str, Any]:
        """What the report shows, of so many samples in all."""
        outside = sum(number == 0 for number in self.of_samples.values())
        return {"sampled": len(self.of_samples), "of": samples, "outside": outside, "topics": self.topics}

    def as_json(self, samples: int) -> dict[str, Any]:
        """All of it, with the topic of each sample drawn."""
        places = [[spot.id, spot.x, spot.y] for spot in self.spots]
        return self.summary(samples) | {"samples": self.of_samples, "map": places}


def find_topics(rows: Sequence[Drawn], config: Topics, examples: int, cache: Store | None = None) -> Found | None:
    """Topics of rows in the order of their hashes; None of few rows, and of rows without words to go by.

    The same rows and seed give the same topics: all runs on one thread, since sums of several differ in their last
    bits. Raises `BadConfig` where DBSCAN would list too many pairs, `BadInput` for an encoder that cannot be read.
    """
    from threadpoolctl import threadpool_limits

    terms = count_terms([row.text for row in rows]) if len(rows) >= FEW else None
    if terms is None:
        return None
    with threadpool_limits(1):
        vectors = vectors_of(rows, terms, config, cache)
        groups, number = _by_size(clusters_of(vectors, config))
        shown = vectors[: config.points]
        places = places_of(shown, config) if len(shown) else np.empty((0, 2))
    topics = _described(rows, terms, vectors, groups, number, config.terms, examples)
    spots = [
        Spot(row.id, x, y, group + 1, row.instruction)
        for row, (x, y), group in zip(rows, places.tolist(), groups.tolist(), strict=False)
    ]
    return Found(topics, {row.id: group + 1 for row, group in zip(rows, groups.tolist(), strict=True)}, spots)


def _by_size(labels: Numbers) -> tuple[Numbers, int]:
    """Clusters numbered anew from 0, the largest first, then the one whose first row comes first; and how many."""
    found, first, sizes = np.unique(labels[labels != NONE], return_index=True, return_counts=True)
    order = found[np.lexsort((first, -sizes))]
    places = {int(label): place for place, label in enumerate(order.tolist())}
    return np.array([places.get(label, NONE) for label in labels.tolist()], np.int64), len(order)


def _described(
    rows: Sequence[Drawn], terms: Terms, vectors: Points, groups: Numbers, number: int, most: int, examples: int
) -> list[dict[str, Any]]:
    topics = []
    for group, found in enumerate(telling(terms, groups, number, max(most, LABEL))):
        members = np.flatnonzero(groups == group)
        inside = [rows[row] for row in members.tolist()]
        topics.append(
            {
                "number": group + 1,
                "label": ", ".join(term for term, _ in found[:LABEL]) or "(no terms)",
                "terms": found[:most],
                "samples": len(inside),
                "mean_answer_words": round(mean(row.words for row in inside), 1),
                "scores": _mean_scores(inside),
                "examples": [
                    {"id": rows[row].id, "text": rows[row].instruction} for row in _typical(vectors, members, examples)
                ],
            }
        )
    return topics


def _mean_scores(rows: Sequence[Drawn]) -> dict[str, float]:
    scores: dict[str, list[float]] = {}
    for row in rows:
        for name, score in row.scores:
            scores.setdefault(name, []).append(score)
    return {name: round(mean(values), 3) for name, values in sorted(scores.items())}


def _typical(vectors: Points, members: Numbers, most: int) -> list[int]:
    """The members nearest to the middle of all."""
    closeness = (vectors[members] @ vectors[members].mean(axis=0)).round(9)
    return [int(row) for row in members[np.argsort(-closeness, kind="stable")[:most]]]
