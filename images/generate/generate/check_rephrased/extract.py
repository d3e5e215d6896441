"""The part of a long text that has most in common with another one."""

from generate.words import content_words

STEPS = 4
"""Places per length at which a part may begin."""


def likest(text: str, other: str, characters: int) -> str:
    """At most so many characters of a text: the part that holds most of the other's different content words, the first
    among equals."""
    if len(text) <= characters:
        return text
    wanted = set(content_words(other))
    starts = [*range(0, len(text) - characters, max(1, characters // STEPS)), len(text) - characters]
    parts = (text[start : start + characters] for start in starts)
    return max(parts, key=lambda part: len(wanted.intersection(content_words(part))))
