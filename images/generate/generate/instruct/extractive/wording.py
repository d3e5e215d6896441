"""How an instruction is worded: by what the passage is, chosen by hash so that equal input gives equal words."""

import hashlib
import re
from collections.abc import Iterator

DEFINITION = re.compile(
    r"(?P<what>(?:[Tt]he (?=[A-Z]))?(?!The )(?:[A-Z]|[a-z]+[_.-])[\w.+#/&-]*(?: [\w.+#/&()-]+){0,4}?) (?P<verb>is|are) "
    r"(?:an?|the|one of|now|designed|used|meant|intended)\b"
)
POINTERS = "it this that there these those they we he she which what here each all both one i you"
NOT_A_NAME = frozenset(POINTERS.split())
SECTIONS: tuple[tuple[str, str], ...] = (
    (r"(?:version )?v?\d+\.\d+[\w.]*(?:\W|$)", "What changed in {heading} of {title}?"),
    (r"install", "How do I install {title}?"),
    (r"quick ?start|getting started|first steps|tutorial", "How do I get started with {title}?"),
    (r"basic usage|usage|how to use|using", "How do I use {title}?"),
    (r"licen[cs]e|copyright", "Under which licence is {title} distributed?"),
    (r"contribut|development|hacking", "How can I contribute to {title}?"),
    (r"documentation|docs", "Where do I find the documentation of {title}?"),
    (r"requirement|dependenc|prerequisite|compatib|supported", "What does {title} need to run?"),
    (r"feature|highlight", "What features does {title} offer?"),
    (r"motivation|rationale|why|background|overview|intro|what is", "What is {title} for?"),
    (r"test", "How is {title} tested?"),
    (r"support|help|contact|communit", "Where can I get help with {title}?"),
    (r"secur", "How do I report a security problem in {title}?"),
    (r"change|release|history|what'?s new", "What changed in the releases of {title}?"),
    (r"author|credit|acknowledg|maintain", "Who is behind {title}?"),
    (r"example|demo", "Show me how {title} is used, with an example."),
)
ON_HEADING = (
    'Explain "{heading}" in {title}.',
    'What should I know about "{heading}" when I work with {title}?',
    'Tell me about "{heading}" in {title}.',
    'Write a short introduction to "{heading}" in {title}.',
)
ON_PHRASE = (
    "What can you tell me about {phrase} in {title}?",
    "Describe the role of {phrase} in {title}.",
    "Explain {phrase} in {title}.",
    "What does {title} have to do with {phrase}?",
    "Write a few sentences about {phrase} in {title}.",
    "What matters about {phrase} in {title}?",
)
ON_LIST = (
    "List what belongs to {phrase} in {title}.",
    "Give me an overview of {phrase} in {title}, as a list.",
    "Which points are there about {phrase} in {title}?",
)
ON_CODE = (
    "Show me an example of {phrase} in {title}.",
    "Give me a code example for {title} that deals with {phrase}.",
    "How do I write {phrase} with {title}? Show the code.",
)
BARE = re.compile(
    r"added|fixed|fixes|changed|removed|deprecated|improved|bug ?fixes|misc\w*|faq|notices?|about|description|summary"
    r"|readme|notes?|table of contents|contents|links?|more",
    re.IGNORECASE,
)
"""Headings that say nothing of what is below them."""
NO_TITLE = re.compile(r" (?:in|of|with|for|to) \{title\}|, in \{title\}")
LONGEST_TITLE = 5
LONGEST_HEADING = 7
"""Words; a longer one is a sentence of its own and reads badly inside another."""


def instructions(kind: str, passage: str, title: str | None, heading: str | None, phrases: list[str]) -> Iterator[str]:
    """Wordings for a passage, best first; the caller takes the first that it has not used."""
    short = title if title and len(title.split()) <= LONGEST_TITLE else None
    if kind == "paragraph" and (name := defined(passage)):
        yield name
    if heading and _same(heading, short):
        if kind == "paragraph":
            yield f"What is {short}?"
    elif heading and short and len(heading.split()) <= LONGEST_HEADING and not BARE.fullmatch(heading):
        yield from _on_heading(kind, heading, short, passage)
    table = {"list": ON_LIST, "code": ON_CODE}.get(kind, ON_PHRASE)
    for phrase in phrases:
        if not _same(phrase, title):
            yield _fill(_choice(table, passage + phrase), title=short, phrase=phrase)


def plain_instructions(title: str | None, phrases: list[str]) -> Iterator[str]:
    """For languages whose sentences we cannot build: the subject alone."""
    for phrase in phrases:
        yield f"{title}: {phrase}" if title else phrase


def defined(passage: str) -> str | None:
    """The question that a defining sentence answers: "Click is a Python package ..." -> "What is Click?"."""
    found = DEFINITION.match(passage)
    if found is None or found["what"].split()[0].lower() in NOT_A_NAME:
        return None
    name = re.sub(r"^The\b", "the", found["what"])
    return f"What {found['verb']} {name}?"


def _same(words: str, title: str | None) -> bool:
    """Whether words only repeat the title, in whatever spelling, perhaps with more after it."""
    name = re.sub(r"[\W_]", "", title or "").lower()
    return bool(name) and re.sub(r"[\W_]", "", words).lower().startswith(name)


def _on_heading(kind: str, heading: str, title: str, passage: str) -> Iterator[str]:
    lower = heading.lower()
    if words := next(
        (words for pattern, words in SECTIONS if re.match(rf"(?:\W|\d+[.)] )*(?:{pattern})", lower)), None
    ):
        yield words.format(title=title, heading=heading)
    if kind == "paragraph":
        yield _choice(ON_HEADING, passage).format(heading=heading, title=title)
    else:
        table = ON_CODE if kind == "code" else ON_LIST
        yield _fill(_choice(table, passage), title=title, phrase=f'"{heading}"')


def _fill(words: str, title: str | None, phrase: str) -> str:
    if title is None:
        words = NO_TITLE.sub("", words)
        if "{title}" in words:
            words = "What can you tell me about {phrase}?"
    return words.format(title=title, phrase=phrase)


def _choice(table: tuple[str, ...], key: str) -> str:
    return table[int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:4], "big") % len(table)]
