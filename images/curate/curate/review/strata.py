"""Which samples people should look at: a stratified draw that a row more hardly moves.

Samples are ordered within their stratum by the hash of their content; drawn are all firsts, then all seconds, and so
on, until there are enough, strata by the order of their own hashes. A row that comes in adds one place to its stratum
and moves nothing before it, so it displaces one drawn sample at most.
"""

from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from contract.config.review import ReviewConfig
from contract.keys import digest
from contract.records import Sample, conversation_key

NONE = "none"


class Stratum(NamedTuple):
    """Topic, band of scores and band of lengths, in words."""

    topic: str
    score: str
    length: str


def stratum_of(sample: Sample, config: ReviewConfig) -> Stratum:
    """Where a sample belongs."""
    score = sample.scores.get(config.score) if config.score else None
    return Stratum(
        _topic(sample, config.topic),
        NONE if score is None else band(score, config.score_bounds),
        band(len(sample.answer), config.length_bounds),
    )


def band(value: float, bounds: Sequence[float]) -> str:
    """The band of a value: from one bound up to the next."""
    place = bisect_right(bounds, value)
    if not bounds:
        return "all"
    if place == 0:
        return f"below {bounds[0]:g}"
    return f"from {bounds[-1]:g}" if place == len(bounds) else f"{bounds[place - 1]:g} to {bounds[place]:g}"


def _topic(sample: Sample, kind: str) -> str:
    if kind == "tag":
        return min(sample.tags, default=NONE)
    return NONE if kind == NONE else str(getattr(sample, kind) or NONE)


class Drawn(NamedTuple):
    """A sample drawn. `order` is the hash that placed it; equal contents are told apart by their ids."""

    order: str
    id: str
    stratum: Stratum
    sample: Sample


@dataclass
class Draw:
    """Takes candidates in any order; holds at most about twice as many as it will draw."""

    size: int
    seed: int
    strata: dict[Stratum, list[Drawn]] = field(default_factory=dict)
    counts: dict[Stratum, int] = field(default_factory=dict)
    _held: int = 0

    def add(self, sample: Sample, stratum: Stratum) -> None:
        """Offer one sample."""
        self.counts[stratum] = self.counts.get(stratum, 0) + 1
        if not self.size:
            return
        order = digest([self.seed, conversation_key(sample.messages)])
        insort(self.strata.setdefault(stratum, []), Drawn(order, sample.id, stratum, sample), key=lambda one: one[:2])
        self._held += 1
        if self._held > 2 * self.size + 64:
            self._prune()

    def chosen(self) -> list[Drawn]:
        """The samples drawn, stratum by stratum."""
        self._prune()
        return [one for stratum in sorted(self.strata) for one in self.strata[stratum]]

    def _prune(self) -> None:
        """Keep what would be drawn now: whatever comes later can only take places away."""
        taken: dict[Stratum, int] = dict.fromkeys(self.strata, 0)
        for stratum in self._in_turn():
            taken[stratum] += 1
        self.strata = {stratum: self.strata[stratum][:number] for stratum, number in taken.items() if number}
        self._held = sum(taken.values())

    def _in_turn(self) -> Iterator[Stratum]:
        """Strata by the places they get, one for each place."""
        order = sorted(self.strata, key=lambda stratum: digest([self.seed, *stratum]))
        left = self.size
        for rank in range(max((len(held) for held in self.strata.values()), default=0)):
            for stratum in order:
                if rank < len(self.strata[stratum]) and left:
                    left -= 1
                    yield stratum
            if not left:
                return
