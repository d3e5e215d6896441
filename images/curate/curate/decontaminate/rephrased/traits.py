"""What stays of a task when its words change: seven traits of a text, each a bag of small features.

A rephrased problem keeps its rare words and the company they keep, its numbers, the shapes of its examples, the words
its names are made of, and, where it is code, the steps of it. Each trait is compared by itself; none has to hold.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

Bag = Counter[str]

WORD = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
NAME = re.compile(r"\b[^\W\d]\w*(?:_\w+|[a-z][A-Z]\w*)|\b(?:def|class|function|func|fn)\s+\w+")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
LITERAL = re.compile(r"\[[^\[\]\n]{0,200}\]|\([^()\n]{0,200}\)|\{[^{}\n]{0,200}\}|\"[^\"\n]{1,80}\"|'[^'\n]{1,80}'")
TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W\d]\w*|==|!=|<=|>=|\*\*|//|[-+*/%<>=]=?|[^\w\s]")
CODE_WORDS = (
    "and as break class continue def del elif else except for from if import in is lambda not or pass raise "
    "return try while with yield true false none null len range sorted sort append abs min max sum int str float "
    "list dict set zip enumerate map filter reversed join split isinstance upper lower round any all function var "
    "let const new this"
)
KEYWORDS = frozenset(CODE_WORDS.split())
ENDINGS = ("ingly", "edly", "ing", "ies", "ed", "es", "ly", "s")
LEAST_STEM = 3
APART = 4


def stem(word: str) -> str:
    """A word without the commonest English endings; enough to bring `sorted` and `sorts` together."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= LEAST_STEM:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def words_of(text: str) -> list[str]:
    """Words in order, names taken apart into the words they are made of."""
    return [stem(word.lower()) for word in WORD.findall(CAMEL.sub(" ", text))]


def pairs(found: Sequence[str]) -> Bag:
    """Two words in a row."""
    return Counter(f"{a} {b}" for a, b in pairwise(found))


def company(found: Sequence[str]) -> Bag:
    """Two words at most four apart, whatever their order."""
    bag: Bag = Counter()
    for apart in range(1, APART + 1):
        bag.update(f"{a} {b}" if a < b else f"{b} {a}" for a, b in zip(found, found[apart:], strict=False))
    return bag


def numbers(text: str) -> Bag:
    """Numbers as written."""
    return Counter(NUMBER.findall(text))


def names(text: str) -> Bag:
    """The words that identifiers are made of."""
    return Counter(word for name in NAME.findall(text) for word in words_of(name))


def shapes(text: str) -> Bag:
    """The forms of literals: `[1, -2, 3]` is `[n,n,n]`, whatever the numbers."""
    return Counter(_shape(literal) for literal in LITERAL.findall(text))


def steps(text: str) -> Bag:
    """Lines of code with names and numbers left out, and each with the line after it."""
    lines = [form for line in text.splitlines() if (form := _step(line))]
    return Counter(lines) + Counter(f"{a} ; {b}" for a, b in pairwise(lines))


TRAITS = ("words", "pairs", "company", "numbers", "names", "shapes", "steps")


def bags(text: str) -> tuple[Bag, ...]:
    """One bag per trait, in the order of `TRAITS`."""
    found = words_of(text)
    return Counter(found), pairs(found), company(found), numbers(text), names(text), shapes(text), steps(text)


def _shape(literal: str) -> str:
    if literal[0] in "\"'":
        return f'"{min(len(literal) - 2, 12)}"'
    tokens = (token for token in TOKEN.findall(literal))
    return "".join("n" if token[0].isdigit() else "v" if token[0].isalpha() else token for token in tokens)


def _step(line: str) -> str:
    tokens = TOKEN.findall(line)
    if not any(token in "=()[]:{};" for token in tokens) or len(tokens) < 2:
        return ""
    return " ".join(_form(token) for token in tokens)


def _form(token: str) -> str:
    if token[0].isdigit():
        return "n"
    lowered = token.lower()
    return lowered if lowered in KEYWORDS or not (token[0].isalpha() or token[0] == "_") else "v"
