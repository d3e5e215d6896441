"""How close answers come to the author's style, by measures that anybody can recount.

Words are runs of letters, in small letters; nothing here knows a language.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$)|\n{2,}")
MARKS = re.compile(r"[,;:!?()\"“”„«»—–…]")
DELTA_WORDS = 150
"""Most frequent words compared: those that an author uses without thinking (Burrows 2002 took 150)."""

LEAST = 500
"""Words below which Delta is not told: one word more or less would decide it, and who says little would seem close.
Eder 2015 finds attribution reliable from some thousands of words on, so below 2,000 small differences mean nothing."""

SLICES = 10
"""Parts into which the author's texts are cut to see how much a word's rate varies within them."""


@dataclass(frozen=True)
class Style:
    """Measures of some texts: words per sentence, letters per word, punctuation marks per 100 words, and Burrows's
    Delta to the reference answers (0 is the same; None below `LEAST` words)."""

    words: int
    sentence_length: float
    word_length: float
    marks: float
    delta: float | None

    def as_dict(self) -> dict[str, float | int | None]:
        """All of it."""
        return asdict(self)


@dataclass(frozen=True)
class Author:
    """The author's texts that Delta is measured with: the rate of each common word, slice by slice."""

    spread: dict[str, float]
    """Standard deviation of the rate of each of the most frequent words."""

    reference: Counter[str]
    """Counts in the reference answers."""

    def delta(self, counted: Counter[str]) -> float | None:
        """Burrows's Delta: the mean difference of the z-scores of the most frequent words."""
        ours, theirs = counted.total(), self.reference.total()
        if not self.spread or min(ours, theirs) < LEAST:
            return None
        return fmean(
            abs(counted[word] / ours - self.reference[word] / theirs) / spread for word, spread in self.spread.items()
        )


def author(train: Sequence[str], reference: Sequence[str]) -> Author:
    """What Delta needs: the author's train answers say which words are common and how much their rates vary, the
    reference answers are what others are compared with. Train answers are cut into `SLICES` of equal length."""
    words = [word for text in train for word in words_of(text)]
    size = max(len(words) // SLICES, 1)
    slices = [Counter(words[start : start + size]) for start in range(0, size * SLICES, size)]
    common = sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))[:DELTA_WORDS]
    rates = {word: [part[word] / size for part in slices] for word, _ in common}
    spread = {word: stdev(rate) for word, rate in rates.items()}
    counted = Counter(word for text in reference for word in words_of(text))
    return Author({word: value for word, value in spread.items() if value}, counted)


def style(texts: Sequence[str], like: Author) -> Style:
    """Measures of some texts; empty ones say nothing."""
    words = [word for text in texts for word in words_of(text)]
    sentences = [n for text in texts for part in SENTENCE_END.split(text) if (n := len(words_of(part)))]
    marks = sum(len(MARKS.findall(text)) for text in texts)
    return Style(
        words=len(words),
        sentence_length=fmean(sentences) if sentences else 0.0,
        word_length=fmean(map(len, words)) if words else 0.0,
        marks=100 * marks / len(words) if words else 0.0,
        delta=like.delta(Counter(words)),
    )


def words_of(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return WORD.findall(text.lower())
