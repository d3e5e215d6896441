"""Phrases as whole words in any case. One pass over a text's words, however many phrases there are."""

import re
from collections.abc import Iterator, Sequence

from curate.filter.row import Check, Finding, Row

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


def excludes(phrases: Sequence[str]) -> Check | None:
    """None of the phrases may be there."""
    if not phrases:
        return None
    wanted = Phrases(phrases)
    return lambda row: Finding(found, "not there") if (found := wanted.first_in(row.text)) else None


def includes(phrases: Sequence[str]) -> Check | None:
    """One of the phrases must be there."""
    if not phrases:
        return None
    wanted = Phrases(phrases)

    def check(row: Row) -> Finding | None:
        return None if wanted.first_in(row.text) else Finding("none found", f"one of {len(phrases)} phrases")

    return check


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _stands_in(phrase: str, folded: str) -> bool:
    """True for a phrase of words and single spaces, which its words alone prove; else it must be there literally."""
    if all(part.isalnum() for part in phrase.replace("_", "a").split(" ")):
        return True
    return re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", folded) is not None
