"""The comparison of base and tuned model, for people and for the gate."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from finetune.loss import Loss


@dataclass(frozen=True)
class Answer:
    """One test instruction, the answer in the data, and what both models say."""

    id: str
    instruction: str
    reference: str
    base: str
    tuned: str


@dataclass(frozen=True)
class Comparison:
    """Base against tuned on the test split. The gate asks for an improvement above `threshold` (nats per token)."""

    base: Loss
    tuned: Loss
    threshold: float
    answers: Sequence[Answer]

    @property
    def improvement(self) -> float:
        """How far the tuned model's loss is below the base's."""
        return self.base.nats - self.tuned.nats

    @property
    def passed(self) -> bool:
        """Whether the gate is passed."""
        return self.improvement > self.threshold

    def metrics(self) -> dict[str, float | int | str | None]:
        """The figures of the dataset's manifest."""
        return {
            "base_loss": self.base.nats,
            "tuned_loss": self.tuned.nats,
            "base_perplexity": self.base.perplexity,
            "tuned_perplexity": self.tuned.perplexity,
            "improvement": self.improvement,
            "test_tokens": self.base.tokens,
            "gate": "passed" if self.passed else "failed",
        }

    def as_json(self) -> str:
        """All of it."""
        whole = self.metrics() | {"threshold": self.threshold, "answers": [asdict(answer) for answer in self.answers]}
        return json.dumps(whole, indent=1, ensure_ascii=False)

    def as_markdown(self) -> str:
        """A page to read."""
        sign = ">" if self.passed else "not >"
        lines = [
            "# Base against tuned",
            "",
            f"Test split, {self.base.tokens:,} assistant tokens, the same template for both.",
            "",
            "| | loss (nats per token) | perplexity |",
            "|---|---|---|",
            f"| base, zero-shot | {self.base.nats:.4f} | {self.base.perplexity:,.1f} |",
            f"| tuned | {self.tuned.nats:.4f} | {self.tuned.perplexity:,.1f} |",
            "",
            f"Gate {self.metrics()['gate']}: improvement {self.improvement:.4f} {sign} {self.threshold:g}.",
        ]
        for answer in self.answers:
            lines += ["", f"## {answer.instruction}", ""]
            parts = (("In the data", answer.reference), ("Base", answer.base), ("Tuned", answer.tuned))
            lines += [line for name, text in parts for line in (f"**{name}**", "", _quoted(text), "")]
        return "\n".join(lines).rstrip() + "\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in (text or "(nothing)").splitlines())
