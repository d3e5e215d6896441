"""Tokens: how many, how many are learned, what is cut off, how well rows can be packed."""

from collections.abc import Sequence
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


def measure(rows: Sequence[Row], training: Training, begin: int | None = None) -> Lengths:
    """Count the rows of a split as they would be trained; `begin` is the begin token, where it means nothing else."""
    kept = [row for row in rows if row.targets]
    tokens = sum(len(row.ids) for row in kept)
    packed = _packed_rows(kept, training.max_length) if training.packing and kept else len(kept)
    lengths = sorted(row.length for row in rows)
    return Lengths(
        rows=len(rows),
        tokens=tokens,
        learned_tokens=sum(row.targets for row in kept),
        median=quantile(lengths, 0.5),
        p90=quantile(lengths, 0.9),
        p99=quantile(lengths, 0.99),
        longest=lengths[-1],
        truncated=sum(row.truncated for row in rows),
        truncated_tokens=sum(row.length - len(row.ids) for row in rows),
        lost_ends=sum(not row.ended for row in kept),
        nothing_to_learn=len(rows) - len(kept),
        doubled_begins=sum(begin is not None and row.ids.count(begin) > 1 for row in rows),
        packed_rows=packed,
        packing_efficiency=tokens / (packed * training.max_length) if packed else 0.0,
    )


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


def _packed_rows(rows: Sequence[Row], max_length: int) -> int:
    """Rows after best-fit-decreasing packing, by the trainer's own packer."""
    from datasets import Dataset  # slow to import: what refuses sooner, may
    from trl import pack_dataset

    dataset = Dataset.from_dict({"input_ids": [row.ids for row in rows], "labels": [row.labels for row in rows]})
    return len(pack_dataset(dataset, max_length, "bfd"))
