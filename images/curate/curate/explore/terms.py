"""The words that samples are about, and which of them tell one group of samples from the others."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

LETTERS = 3  # shorter words are mostly grammar, in any language
WORD = re.compile(r"[^\W\d_]{3,}")
UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+")
SIGNS = ("://", "@", "www.")  # of an address
ADDRESS = re.compile(r"\b\w++://\S+|\bwww\.\S+|(?<!\S)[^\s@]*+@\S+")
COMMON = 0.5  # a word in more of the texts than this says nothing about them
MANY = 200  # texts from which on a word of a single one is left out
MOST = 20_000  # different words counted, the most frequent ones


class Terms(NamedTuple):
    """How often each text has each term: a sparse matrix of shape `(texts, terms)`, and the terms."""

    counts: Any
    names: list[str]


def terms_of(text: str) -> list[str]:
    """The words of a text, lower case, without addresses; of Chinese and Japanese, pairs of characters."""
    if any(sign in text for sign in SIGNS):
        text = ADDRESS.sub(" ", text)
    found: list[str] = WORD.findall(text.lower())
    if text.isascii() or not UNSPACED.search(text):
        return found
    runs = UNSPACED.findall(text)
    words = (part for word in found for part in UNSPACED.split(word) if len(part) >= LETTERS)
    return [*words, *(run[place : place + 2] for run in runs for place in range(len(run) - 1))]


def count_terms(texts: Sequence[str]) -> Terms | None:
    """Count the terms of texts, without English grammar and what most texts hold; None where no term is left."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer  # a second to import, only here

    counter = CountVectorizer(
        analyzer=lambda text: [term for term in terms_of(text) if term not in ENGLISH_STOP_WORDS],
        min_df=2 if len(texts) >= MANY else 1,
        max_df=COMMON,
        max_features=MOST,
        dtype=np.float64,
    )
    try:
        counts = counter.fit_transform(texts)
    except ValueError:  # no word occurs in some texts but not in most
        return None
    return Terms(counts, counter.get_feature_names_out().tolist())


def telling(terms: Terms, groups: npt.NDArray[np.int64], number: int, most: int) -> list[list[tuple[str, float]]]:
    """For each of `number` groups its terms of the greatest weight, at most `most`; `groups` is -1 where there is none.

    The weight is class-based TF-IDF (Grootendorst 2022, "BERTopic: Neural topic modeling with a class-based TF-IDF
    procedure"): a term's share of the group's words, times log(1 + words of a group on average / the term's count).
    """
    inside = np.flatnonzero(groups >= 0)
    member = np.zeros((number, len(groups)))
    member[groups[inside], inside] = 1
    counts = np.asarray(terms.counts.T @ member.T).T
    whole = np.maximum(counts.sum(axis=0), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    weights = (share * np.log1p(counts.sum() / max(number, 1) / whole)).round(6)
    return [_greatest(row, terms.names, most) for row in weights]


def _greatest(weights: npt.NDArray[np.float64], names: list[str], most: int) -> list[tuple[str, float]]:
    order = np.argsort(-weights, kind="stable")[:most]
    return [(names[place], float(weights[place])) for place in order.tolist() if weights[place] > 0]
