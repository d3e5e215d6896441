"""Tokens: how many, how many are learned, what is cut off, how well rows can be packed."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import ceil

from contract.config.finetune import Training
from contract.failures import BadInput
from finetune.data import Row


@dataclass(frozen=True)
class Lengths:
    """Figures about rows of training data, in tokens unless said otherwise.

    `lost_ends` counts rows whose last learned token was cut off, so that they do not teach the model to stop;
    `nothing_to_learn` counts rows that are left out for it; `packed_rows` is what the trainer will see;
    `doubled_begins` counts rows with more than one begin token: text that was rendered before it came here.
    """

    rows: int
    tokens: int
    learned_tokens: int
    median: int
    p90: int
    p99: int
    longest: int
    truncated: int
    truncated_tokens: int
    lost_ends: int
    nothing_to_learn: int
    doubled_begins: int
    packed_rows: int
    packing_efficiency: float

    @property
    def truncated_share(self) -> float:
        """Rows that were cut, of all."""
        return self.truncated / self.rows

    def as_dict(self) -> dict[str, float]:
        """All figures."""
        return asdict(self) | {"truncated_share": self.truncated_share}


class Tally:
    """Counts the rows of a split on their way; `begin` is the begin token, where it means nothing else."""

    def __init__(self, begin: int | None = None) -> None:
        self._begin = begin
        self._lengths = array("L")
        self._counts = dict.fromkeys(("tokens", "learned_tokens", "truncated", "truncated_tokens"), 0)
        self._counts |= dict.fromkeys(("lost_ends", "nothing_to_learn", "doubled_begins"), 0)

    def learnable(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Count all rows, and hand on those that have something to learn."""
        for row in rows:
            targets = row.targets
            self._count(row, targets)
            if targets:
                yield row

    def lengths(self, written: int, training: Training) -> Lengths:
        """The figures, once all rows have passed and so many were `written`, packed or not."""
        lengths = sorted(self._lengths)
        room = written * training.max_length
        return Lengths(
            rows=len(lengths),
            median=quantile(lengths, 0.5),
            p90=quantile(lengths, 0.9),
            p99=quantile(lengths, 0.99),
            longest=lengths[-1],
            packed_rows=written,
            packing_efficiency=self._counts["tokens"] / room if room else 0.0,
            **self._counts,
        )

    def _count(self, row: Row, targets: int) -> None:
        counts = self._counts
        self._lengths.append(row.length)
        counts["tokens"] += len(row.ids) if targets else 0
        counts["learned_tokens"] += targets
        counts["truncated"] += row.truncated
        counts["truncated_tokens"] += row.length - len(row.ids)
        counts["lost_ends"] += bool(targets) and not row.ended
        counts["nothing_to_learn"] += not targets
        counts["doubled_begins"] += self._begin is not None and row.ids.count(self._begin) > 1


def quantile(ordered: Sequence[int], share: float) -> int:
    """The smallest of the ordered values that at least this share of them do not exceed (nearest rank)."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def check_learnable(lengths: Lengths, training: Training) -> None:
    """Raises `BadInput` when no row has anything to learn; nothing can overrule that."""
    if lengths.nothing_to_learn == lengths.rows:
        raise BadInput(
            f"none of {lengths.rows} samples has a token to learn within {training.max_length} tokens",
            expected="answers that begin before `training.max_length`",
            hint=f"the longest sample has {lengths.longest} tokens; raise `training.max_length`",
        )


def check_truncation(lengths: Lengths, training: Training, allowed: float) -> None:
    """Raises `BadInput` when more than `allowed` of the rows are cut."""
    if lengths.truncated_share > allowed:
        raise BadInput(
            f"{lengths.truncated} of {lengths.rows} samples ({lengths.truncated_share:.1%}) are longer than "
            f"{training.max_length} tokens: {lengths.truncated_tokens} tokens and {lengths.lost_ends} ends would be "
            "lost",
            expected=f"at most {allowed:.1%} (`max_truncated`)",
            hint=f"the longest has {lengths.longest} tokens; raise `training.max_length`, or cut smaller chunks",
        )


def check_begins(lengths: Lengths) -> None:
    """Raises `BadInput` when rows hold more than one begin token."""
    if lengths.doubled_begins:
        raise BadInput(
            f"{lengths.doubled_begins} of {lengths.rows} samples hold the begin token more than once",
            expected="messages as people wrote them; the template brings its own tokens",
            hint="take the rendered template out of their text, or drop them with `select.filter`",
        )
