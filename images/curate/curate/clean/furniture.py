"""Page furniture by frequency: lines that stand in many documents of one source.

The idea is CCNet's (Wenzek et al. 2020, "CCNet: Extracting High Quality Monolingual Datasets from Web Crawl Data"):
paragraphs are compared after lower-casing, with digits as zeros and without punctuation, and repeated ones go. CCNet
removes what occurs twice in a shard; here a line must recur within its source, in a least number and a least share of
its documents, so that a sentence quoted twice stays.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from contract.config.clean import Furniture
from curate.clean.code import outside_blocks

Keys = npt.NDArray[np.uint64]

FOLDED = re.compile(r"[\W_]+")
DIGITS = re.compile(r"\d+")
LETTER = re.compile(r"[^\W\d_]")


class Removed(NamedTuple):
    """A line that was removed, and in how many documents of its source it stands."""

    source: str
    line: str
    documents: int


def line_key(source: str, line: str) -> int | None:
    """A 64-bit hash of a line as it is compared; None for one without letters and for Markdown headings."""
    if line.startswith("#") or not LETTER.search(line):
        return None
    folded = FOLDED.sub(" ", DIGITS.sub("0", line.casefold())).strip()
    return int.from_bytes(hashlib.blake2b(f"{source}\0{folded}".encode(), digest_size=8).digest())


def document_keys(source: str, text: str) -> set[int]:
    """The keys of a document's lines outside code blocks, each once."""
    keys: set[int] = set()

    def collect(part: str) -> str:
        keys.update(key for line in part.split("\n") if (key := line_key(source, line)) is not None)
        return part

    outside_blocks(text, collect)
    return keys


class FurnitureLines:
    """Which lines are furniture: the number of documents of each frequent line, and the least number by source."""

    def __init__(self, config: Furniture, documents: Mapping[str, int], keys: Keys, counts: Keys) -> None:
        self._documents = dict(zip(keys.tolist(), counts.tolist(), strict=True))
        self._least = {source: least(config, number) for source, number in documents.items()}

    def documents(self, source: str, line: str) -> int:
        """In how many documents the line stands if it is furniture, else 0."""
        key = line_key(source, line)
        number = self._documents.get(key, 0) if key is not None else 0
        return number if number >= self._least[source] else 0


def least(config: Furniture, documents: int) -> int:
    """In how many documents of a source with so many a line must stand."""
    return max(config.documents, ceil(config.share * documents))


def without_furniture(text: str, source: str, lines: FurnitureLines) -> tuple[str, list[Removed]]:
    """The text without its furniture, and the lines that went."""
    gone: list[Removed] = []

    def strip(part: str) -> str:
        kept = []
        for line in part.split("\n"):
            number = lines.documents(source, line)
            if number:
                gone.append(Removed(source, line.strip(), number))
            else:
                kept.append(line)
        return "\n".join(kept)

    return outside_blocks(text, strip), gone


def source_keys(sources: Iterable[str], texts: Iterable[str]) -> tuple[Keys, Counter[str]]:
    """The keys of many documents one after another, each once per document; and how many documents each source has."""
    keys: list[int] = []
    documents: Counter[str] = Counter()
    for source, text in zip(sources, texts, strict=True):
        keys.extend(document_keys(source, text))
        documents[source] += 1
    return np.array(keys, np.uint64), documents


def most_frequent(lines: Iterable[Removed], number: int) -> list[Removed]:
    """The lines in most documents, ties by source and line."""
    return sorted(lines, key=lambda line: (-line.documents, line.source, line.line))[:number]
