"""Copies of a text as they turn up in the wild: other case, other marks, some words edited, sentences moved.

Each copy is the same for the same text and seed, so a measured recall is a property of the recipe, not of the night.
"""

import random
import re
from collections.abc import Callable, Sequence

WORD = re.compile(r"\w+")
MARK = re.compile(r"[^\w\s]")
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
MARKS = " ,;:-.…'\"!"
AROUND = 60  # words of other text on each side of an embedded copy

COPY = "copy"

Perturb = Callable[[str, random.Random, Sequence[str]], str]
"""A text, chance, and words to take others from; the changed text."""


def as_it_is(text: str, rng: random.Random, others: Sequence[str]) -> str:
    """No change: what no edit could hide."""
    return text


def case(text: str, rng: random.Random, others: Sequence[str]) -> str:
    """Upper case throughout."""
    return text.upper()


def punctuation(text: str, rng: random.Random, others: Sequence[str]) -> str:
    """Every mark exchanged for another or a space."""
    return MARK.sub(lambda _: rng.choice(MARKS), text)


def edited(share: float) -> Perturb:
    """A share of the words, one at least, exchanged, left out, or said after another word."""

    def change(text: str, rng: random.Random, others: Sequence[str]) -> str:
        spans = [match.span() for match in WORD.finditer(text)]
        chosen = rng.sample(spans, min(len(spans), max(1, round(share * len(spans)))))
        for start, end in sorted(chosen, reverse=True):
            other = rng.choice(others)
            text = text[:start] + rng.choice((other, other, "", f"{other} {text[start:end]}")) + text[end:]
        return text

    return change


def sentences(text: str, rng: random.Random, others: Sequence[str]) -> str:
    """Sentences and lines in another order; a text of one stays."""
    parts = [part for part in SENTENCE.split(text) if part.strip()]
    order = list(parts)
    while len(set(parts)) > 1 and order == parts:
        rng.shuffle(order)
    return "\n".join(order) if len(set(parts)) > 1 else text


def embedded(text: str, rng: random.Random, others: Sequence[str]) -> str:
    """The whole text in the middle of another."""
    before, after = (" ".join(rng.choices(others, k=AROUND)) for _ in range(2))
    return f"{before}\n{text}\n{after}"


KINDS: dict[str, Perturb] = {
    COPY: as_it_is,
    "case": case,
    "punctuation": punctuation,
    "words_1": edited(0.01),
    "words_3": edited(0.03),
    "words_5": edited(0.05),
    "words_10": edited(0.1),
    "sentences": sentences,
    "embedded": embedded,
}
"""What is done to an item, by name; `words_3` edits 3 % of its words."""


def perturbed(text: str, kind: str, seed: str, others: Sequence[str]) -> str:
    """One copy of a text; `others` are words that edits may bring in, at least one."""
    return KINDS[kind](text, random.Random(f"{seed} {kind}"), others)
