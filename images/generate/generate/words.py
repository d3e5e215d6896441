"""Words of a text, and which of them carry its content."""

import re
from functools import lru_cache

WORD = re.compile(r"\w+")
SPACED = "".join(character if WORD.fullmatch(character) else " " for character in map(chr, range(128)))
"""The 128 characters of ASCII, those of no word made blanks: where there are no others it takes a third of the time."""
# Function words only: articles, pronouns, prepositions, conjunctions, auxiliaries.
ENGLISH = """
a an the this that these those it its he she they them his her their our your my we you i me us him
and or but nor so if then than as of in on at by to for from with without into about over under between
is are was were be been being am do does did has have had can could will would shall should may might must
not no yes what which who whom whose when where why how there here also very just only
"""
POLISH = """
a i oraz lub albo ale lecz więc jeśli gdy że żeby aby bo niż jak jako czy nie tak to ten ta te tego tej tych tym ten
się w we z ze na do od po za o u przy przez dla bez pod nad między jest są był była było były być będzie będą może
ja ty on ona ono my wy oni one go jej ich im mu ją jego mnie mi nas nam was wam co kto który która które gdzie kiedy
już tylko też także tu tam
"""
STOP_WORDS = frozenset(f"{ENGLISH} {POLISH}".split())


@lru_cache(maxsize=64)  # one pair is looked at by one check after the other
def words(text: str) -> tuple[str, ...]:
    """A text's words in lower case."""
    return tuple(text.lower().translate(SPACED).split() if text.isascii() else WORD.findall(text.lower()))


def content_words(text: str) -> list[str]:
    """The same without English and Polish function words."""
    return [word for word in words(text) if word not in STOP_WORDS]


def normal(text: str) -> str:
    """A text's words in lower case, one space between."""
    return " ".join(words(text))
