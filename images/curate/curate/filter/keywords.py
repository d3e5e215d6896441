"""Phrases as whole words in any case. One pass over the texts, however many phrases there are."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from curate.filter import spotting
from curate.filter.folding import marked
from curate.filter.rows import Check, failing
from curate.scan.buffers import utf8

WORD = re.compile(r"\w+")


class Phrases:
    """A list of phrases, ready to be looked for.

    Words are runs of letters, digits and underscore. A phrase with other characters in it (`c++`, `e-mail`) must also
    stand in the text as it is; one without any word (an emoji) is looked for as it is.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self._by_words: dict[tuple[str, ...], list[str]] = {}
        self._lengths: dict[str, list[int]] = {}
        self._wordless: list[str] = []
        for phrase in filter(None, (_folded(phrase) for phrase in phrases)):
            self._add(phrase)

    def first_in(self, text: str) -> str | None:
        """The first phrase found in a text, as it was folded; None where there is none."""
        folded = _folded(text)
        wordless = (phrase for phrase in self._wordless if phrase in folded)
        return next(self._matches(folded), None) or next(wordless, None)

    def _add(self, phrase: str) -> None:
        words = tuple(WORD.findall(phrase))
        if not words:
            self._wordless.append(phrase)
            return
        self._by_words.setdefault(words, []).append(phrase)
        lengths = self._lengths.setdefault(words[0], [])
        if len(words) not in lengths:
            lengths.append(len(words))

    def _matches(self, folded: str) -> Iterator[str]:
        words = WORD.findall(folded)
        if self._lengths.keys().isdisjoint(words):
            return
        for position, word in enumerate(words):
            for length in self._lengths.get(word, ()):
                for phrase in self._by_words.get(tuple(words[position : position + length]), ()):
                    if _stands_in(phrase, folded):
                        yield phrase


class PhraseList:
    """Phrases to be looked for in batches of texts.

    Compiled loops spot the first phrase of each text by hash and verify it on the text; `Phrases` decides the rest.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = [folded for phrase in phrases if (folded := _folded(phrase))]
        self._names = np.array([*self._phrases, None, None], object)  # hits of -1 and -2 have no name
        self._exact = Phrases(phrases)
        self._folding = marked({phrase[0] for phrase in self._phrases if not WORD.search(phrase)})
        slots = 1 << (2 * len(self._phrases) + 16).bit_length()
        self._index = spotting.Index(
            np.zeros(1 << spotting.FILTER_BITS, np.uint64),
            np.zeros(slots, np.uint64),
            np.zeros(slots, np.int64),
            *utf8(self._phrases),
            np.fromiter(map(_is_proved, self._phrases), np.uint8, len(self._phrases)),
        )
        spotting.learn(self._folding, spotting.new_ring(), self._index)

    def first_in(self, texts: pa.Array) -> list[str | None]:
        """The first phrase found in each text, as it was folded; None where there is none."""
        hits = np.empty(len(texts), np.int64)
        spotting.spot(*utf8(texts), self._folding, spotting.new_ring(), self._index, hits)
        found: list[str | None] = self._names[hits].tolist()
        for row in np.flatnonzero(hits == -2).tolist():
            found[row] = self._exact.first_in(texts[row].as_py())
        return found


def excludes(phrases: Sequence[str]) -> Check | None:
    """None of the phrases may be there."""
    if not phrases:
        return None
    wanted = PhraseList(phrases)
    return lambda rows: failing(wanted.first_in(rows.texts), "not there")


def includes(phrases: Sequence[str]) -> Check | None:
    """One of the phrases must be there."""
    if not phrases:
        return None
    wanted = PhraseList(phrases)
    threshold = f"one of {len(phrases):,} phrases"
    return lambda rows: failing([None if here else "none found" for here in wanted.first_in(rows.texts)], threshold)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _stands_in(phrase: str, folded: str) -> bool:
    """True for a phrase of words and single spaces, which its words alone prove; else it must be there literally."""
    return _is_words(phrase) or re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", folded) is not None


def _is_words(phrase: str) -> bool:
    return all(part.isalnum() for part in phrase.replace("_", "a").split(" "))


def _is_proved(phrase: str) -> bool:
    """Whether the words that kernels look up are all there is to a phrase."""
    return _is_words(phrase) and len(phrase.split()) <= spotting.LONGEST
