"""All figures about base, prompted base and tuned model, and what follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from contract.config.evaluate import EvaluateConfig
from contract.records import Sample
from finetune.evaluate.copies import Copied, longest_copies
from finetune.evaluate.difference import Difference, difference
from finetune.evaluate.few_shot import in_hash_order
from finetune.evaluate.measure import Measured
from finetune.evaluate.style import Style, author, style
from finetune.evaluate.tasks import Tasks
from finetune.evaluate.verdict import Check, Verdict, all_passed, gate, should_fine_tune
from finetune.loss import Loss

Figure = float | int | str | None
BASE, PROMPTED, TUNED = "base", "few_shot", "tuned"
TITLES = {BASE: "Base, zero-shot", PROMPTED: "Base, few-shot", TUNED: "Tuned"}


@dataclass(frozen=True)
class Contestant:
    """One model, asked one way: what it scored, how its answers read, and what each copies from a train answer."""

    name: str
    title: str
    measured: Measured
    style: Style
    copied: list[Copied]

    @property
    def loss(self) -> Loss:
        """On the test split."""
        return self.measured.loss

    @property
    def longest_copy(self) -> int:
        """Words of the longest run that stands in a train answer too."""
        return max((copied.words for copied in self.copied), default=0)


@dataclass(frozen=True)
class Forgetting:
    """Loss on general text before and after."""

    base: Loss
    tuned: Loss

    @property
    def nats(self) -> float:
        """How far it rose (nats per token)."""
        return self.tuned.nats - self.base.nats


@dataclass(frozen=True)
class Words:
    """How the author's answers read: those of the test split that were asked for, and as many others, which show how
    far the author is from the author. `longest_copy` is what the asked ones share with the train split."""

    reference: Style
    again: Style
    longest_copy: int


@dataclass(frozen=True)
class Comparison:
    """Base against tuned on the test split; `prompted` is the base with `examples` examples before each question."""

    config: EvaluateConfig
    asked: Sequence[Sample]
    base: Contestant
    prompted: Contestant | None
    tuned: Contestant
    examples: float
    forgetting: Forgetting | None
    words: Words

    @property
    def contestants(self) -> list[Contestant]:
        """Those that took part."""
        return [self.base, *([self.prompted] if self.prompted else []), self.tuned]

    @cached_property
    def improvement(self) -> Difference:
        """How far the tuned model's loss is below the base's."""
        return difference(self.base.measured.losses, self.tuned.measured.losses)

    @cached_property
    def over_prompted(self) -> Difference | None:
        """How far it is below that of the base with examples."""
        if self.prompted is None:
            return None
        return difference(self.prompted.measured.losses, self.tuned.measured.losses)

    @property
    def checks(self) -> list[Check]:
        """The gate's conditions."""
        over = self.over_prompted.nats if self.over_prompted else None
        return gate(self.config, self.improvement.nats, over, self.forgetting.nats if self.forgetting else None)

    @property
    def gate(self) -> str:
        """`passed` or `failed`."""
        return "passed" if all_passed(self.checks) else "failed"

    @property
    def verdict(self) -> Verdict:
        """Whether fine-tuning was worth it."""
        prompted = self.prompted.loss if self.prompted else None
        return should_fine_tune(prompted, self.tuned.loss, self.over_prompted, self.examples)

    def metrics(self) -> dict[str, Figure]:
        """The figures of the dataset's manifest."""
        found: dict[str, Figure] = {}
        for contestant in self.contestants:
            found |= {f"{contestant.name}_{figure}": value for figure, value in _figures(contestant).items()}
        found |= {"improvement": self.improvement.nats, "improvement_error": self.improvement.error}
        if self.over_prompted:
            found |= {"over_prompted": self.over_prompted.nats, "over_prompted_error": self.over_prompted.error}
        if self.forgetting:
            before, after = self.forgetting.base, self.forgetting.tuned
            found |= {"forgetting": self.forgetting.nats, "general_tokens": before.tokens}
            found |= {"base_general_loss": before.nats, "tuned_general_loss": after.nats}
        return found | {
            "examples": self.examples,
            "author_delta": self.words.again.delta,
            "test_tokens": self.base.loss.tokens,
            "gate": self.gate,
            "worth_it": self.verdict.answer,
        }


def compare(
    config: EvaluateConfig,
    tasks: Tasks,
    measured: Mapping[str, Measured],
    forgetting: Forgetting | None,
    train: Sequence[Sample],
) -> Comparison:
    """The comparison of what was `measured`, by contestant; `train` is what answers may be copied from."""
    others = [sample.answer for sample in in_hash_order(train)]
    references = [sample.answer for sample in tasks.asked]
    like = author(others, references)

    def seat(name: str) -> Contestant:
        answers = [said.text for said in measured[name].answers]
        return Contestant(name, TITLES[name], measured[name], style(answers, like), longest_copies(answers, others))

    longest = max((copied.words for copied in longest_copies(references, others)), default=0)
    return Comparison(
        config=config,
        asked=tasks.asked,
        base=seat(BASE),
        prompted=seat(PROMPTED) if PROMPTED in measured else None,
        tuned=seat(TUNED),
        examples=tasks.prompted.examples if tasks.prompted else 0.0,
        forgetting=forgetting,
        words=Words(style(references, like), style(others[: len(references)], like), longest),
    )


def _figures(contestant: Contestant) -> dict[str, Figure]:
    return {
        "loss": contestant.loss.nats,
        "perplexity": contestant.loss.perplexity,
        "runaways": contestant.measured.runaways,
        "delta": contestant.style.delta,
        "longest_copy": contestant.longest_copy,
    }
