"""What the figures decide: whether the gate opens, and whether fine-tuning was worth it at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from contract.config.evaluate import EvaluateConfig
from finetune.evaluate.difference import Difference
from finetune.loss import Loss


@dataclass(frozen=True)
class Check:
    """One condition of the gate; `value` and `threshold` in nats per token."""

    name: str
    value: float
    threshold: float
    at_most: bool = False

    @property
    def passed(self) -> bool:
        """Whether it holds."""
        return self.value <= self.threshold if self.at_most else self.value > self.threshold

    def __str__(self) -> str:
        sign = {(True, True): "<=", (True, False): "not <=", (False, True): ">", (False, False): "not >"}
        return f"{self.name} {self.value:.4f} {sign[self.at_most, self.passed]} {self.threshold:g}"


def gate(
    config: EvaluateConfig, improvement: float, over_prompted: float | None, forgetting: float | None
) -> list[Check]:
    """The conditions that the recipe asks for; what was not measured has none."""
    checks = [Check("improvement", improvement, config.min_improvement)]
    if config.min_over_prompted is not None and over_prompted is not None:
        checks.append(Check("improvement over the prompted base", over_prompted, config.min_over_prompted))
    if config.max_forgetting is not None and forgetting is not None:
        checks.append(Check("forgetting", forgetting, config.max_forgetting, at_most=True))
    return checks


def all_passed(checks: Sequence[Check]) -> bool:
    """Whether the gate opens."""
    return all(check.passed for check in checks)


@dataclass(frozen=True)
class Verdict:
    """Should one fine-tune at all? `answer` in a word, `sentence` with the numbers behind it."""

    answer: Literal["yes", "no", "not shown", "not asked"]
    sentence: str


def should_fine_tune(prompted: Loss | None, tuned: Loss, gain: Difference | None, examples: float) -> Verdict:
    """The tuned model against the base with `examples` examples before each question (on average); same tokens.

    A `gain` within two standard errors of 0 shows nothing, in either direction.
    """
    if prompted is None or gain is None:
        return Verdict("not asked", "Whether examples in the prompt would do as well was not measured.")
    figures = (
        f"the tuned model's test loss is {tuned.nats:.4f} nats per token (perplexity {tuned.perplexity:,.2f}), that of "
        f"the base with {examples:.1f} examples in its prompt {prompted.nats:.4f} ({prompted.perplexity:,.2f}); "
        f"the difference is {gain}"
    )
    if not gain.sure:
        return Verdict("not shown", f"Not shown that fine-tuning beats prompting: {figures}, within what chance makes.")
    if gain.nats > 0:
        return Verdict("yes", f"Yes, fine-tuning beats prompting: {figures}.")
    return Verdict("no", f"No, prompting the base does better: {figures}.")
