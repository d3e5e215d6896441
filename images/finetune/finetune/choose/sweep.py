"""Several trainings side by side: who is best, and the table that says so."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf, isfinite

from contract.failures import BadInput


@dataclass(frozen=True)
class Candidate:
    """One training of a sweep. `eval_loss` is that of the weights it kept (nats per token), None where there is none.

    `curves` is the sentence that reads its curves.
    """

    content_hash: str
    learning_rate: float
    eval_loss: float | None
    train_loss: float | None
    curves: str

    @property
    def score(self) -> float:
        """What is compared; a loss that is no number loses to every other."""
        return self.eval_loss if self.eval_loss is not None and isfinite(self.eval_loss) else inf


def by_loss(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates from best to worst: by test loss, equals by the smaller learning rate, whatever order they came in.

    Raises `BadInput` when none has a test loss.
    """
    ranked = sorted(candidates, key=lambda candidate: (candidate.score, candidate.learning_rate))
    if not ranked or ranked[0].score == inf:
        rates = ", ".join(f"{candidate.learning_rate:g}" for candidate in ranked)
        raise BadInput(
            f"none of {len(ranked)} trainings ended with a test loss (learning rates {rates})",
            expected="at least one that did not diverge",
            hint="lower `learning_rates`",
        )
    return ranked


def as_records(ranked: Sequence[Candidate]) -> list[dict[str, float | str | None]]:
    """The table as plain values; a loss that is no number becomes null, which JSON knows."""
    return [asdict(c) | {"eval_loss": c.score if c.score < inf else None} for c in ranked]


def as_markdown(ranked: Sequence[Candidate]) -> str:
    """The table for people, best first."""
    lines = ["# Sweep over the learning rate", "", "| | learning rate | test loss | train loss | curves |"]
    lines.append("|---|---|---|---|---|")
    for place, candidate in enumerate(ranked):
        losses = (candidate.eval_loss, candidate.train_loss)
        figures = " | ".join("none" if loss is None else f"{loss:.4f}" for loss in losses)
        lines.append(
            f"| {'chosen' if place == 0 else ''} | {candidate.learning_rate:g} | {figures} | {candidate.curves} |"
        )
    return "\n".join(lines) + "\n"
