"""Which samples teach what: labels from scores or decisions, and what is held out."""

from collections.abc import Iterable
from typing import NamedTuple

from contract.config.learn_quality import LearnQualityConfig
from contract.keys import digest
from contract.records import Sample
from curate.decisions import Decisions

UNLABELLED, BETWEEN, EMPTY, REPEATED, CONTRADICTED = "unlabelled", "between", "no_words", "repeated", "contradicted"
RULES = {
    UNLABELLED: "it has no such score, or nobody decided about it",
    BETWEEN: "neither good nor bad: its score is from `low` up to `high`, or its reviewers edited it or were divided",
    EMPTY: "the text has no words",
    REPEATED: "the same text came before with the same label",
    CONTRADICTED: "the same text has both labels",
}


class Example(NamedTuple):
    """A labelled text. `unit` is what must not be torn apart: its document, or the text alone."""

    id: str
    text: str
    high: bool
    unit: str


class Unused(NamedTuple):
    """A sample that teaches nothing, by which rule, with its score."""

    rule: str
    value: float | None = None
    partner: str | None = None


def example_of(sample: Sample, config: LearnQualityConfig, decisions: Decisions) -> Example | Unused:
    """What a sample teaches."""
    text = text_of(sample, config.field)
    if not text.split():
        return Unused(EMPTY)
    by_score = config.labels == "scores"
    high = _by_score(sample, config) if by_score else _by_decisions(sample, decisions)
    if isinstance(high, Unused):
        return high
    unit = f"document {sample.document_id}" if sample.document_id else f"text {normal(text)}"
    return Example(sample.id, text, high, unit)


def text_of(sample: Sample, field: str) -> str:
    """The text that is read."""
    if field == "conversation":
        return "\n\n".join(message.content for message in sample.messages)
    text: str = getattr(sample, field)
    return text


def unused_twins(examples: Iterable[Example]) -> dict[str, Unused]:
    """Examples that say the same as another: of those of one label all but the first go, of both labels all."""
    by_text: dict[str, list[Example]] = {}
    for example in examples:
        by_text.setdefault(normal(example.text), []).append(example)
    found: dict[str, Unused] = {}
    for twins in by_text.values():
        ordered = sorted(twins, key=lambda twin: twin.id)
        if len({twin.high for twin in twins}) > 1:
            partners = {high: next(twin.id for twin in ordered if twin.high is high) for high in (True, False)}
            found |= {twin.id: Unused(CONTRADICTED, partner=partners[not twin.high]) for twin in twins}
        else:
            found |= {twin.id: Unused(REPEATED, partner=ordered[0].id) for twin in ordered[1:]}
    return found


def is_held_out(example: Example, share: float, seed: int) -> bool:
    """Whether an example is for measuring; that depends on its document alone, so it stays when rows are added."""
    return int(digest([seed, example.unit])[:13], 16) / 16**13 < share


def normal(text: str) -> str:
    """A text in lower case, white space collapsed."""
    return " ".join(text.lower().split())


def _by_score(sample: Sample, config: LearnQualityConfig) -> bool | Unused:
    score = sample.scores.get(config.score)
    if score is None:
        return Unused(UNLABELLED)
    if config.low <= score < config.high:
        return Unused(BETWEEN, score)
    return score >= config.high


def _by_decisions(sample: Sample, decisions: Decisions) -> bool | Unused:
    """Good is what more reviewers accepted than not, bad what more rejected than not."""
    votes = decisions.about(sample)
    if votes is None:
        return Unused(UNLABELLED)
    accepts = sum(decision.verdict == "accept" for decision in votes.decisions)
    share = accepts / len(votes.decisions)
    if 2 * accepts > len(votes.decisions):
        return True
    return False if 2 * votes.rejects > len(votes.decisions) else Unused(BETWEEN, share)
