"""Made-up articles at more than a hundred megabytes a second, for runs that are too large for real text.

A batch is one draw of word numbers; Arrow looks their spellings up, and documents are cuts of what comes out. Words
follow Zipf's law behind the commonest English ones; they stand in sentences, paragraphs and lists. In between stand,
each at its own rate, personal data, HTML remnants, damaged UTF-8, page furniture and code. Some documents are exact or
edited copies of earlier ones, however far back, and some are junk.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

COMMON = """
the of and to a in is that for it was on with as be by at this are from or have an they which one you were all
her she there would their we him been has when who will no more if out so up said what its about than into them
can only other time new some could these two may first then do any like my now over such our man me even most
""".split()  # noqa: SIM905
WORDS, ZIPF = 60_000, 1.05
SYLLABLES = [f"{start}{vowel}{end}" for start in "bcdfglmnprstv" for vowel in "aeiou" for end in ("", "n", "r", "s")]
ACCENTED = str.maketrans("eou", "éöü")  # in one of 25 of the rarer words
ENDS = (" ", ", ", ". ", ".\n\n", ".\n- ", ".")  # the last ends a document
END_SHARES = (0.905, 0.045, 0.04, 0.008, 0.002, 0)
RARE = 3e-4  # share of the tokens that are none of the words
RARE_KINDS = 4_000
MEDIAN_WORDS, SPREAD, LONGEST_WORDS = 250, 0.9, 20_000
EXACT, NEAR, JUNK = 0.03, 0.05, 0.01  # shares of documents
EDITED = 0.02  # share of a near copy's words that are others
POOL = 20_000  # documents that may be copied
BATCH = 4_000  # documents

Numbers = npt.NDArray[np.int32]


def made_batches(gigabytes: float, seed: int = 0) -> Iterator[pa.Array]:
    """Arrays of documents, `gigabytes` of UTF-8 in all; the same for the same seed."""
    maker, size = _Maker(np.random.default_rng(seed)), 0
    while size < gigabytes * 1e9:
        texts = maker.batch()
        size += texts.nbytes
        yield texts


class _Maker:
    def __init__(self, draw: np.random.Generator) -> None:
        self._draw = draw
        words = _words(draw)
        spelt = [word + end for end in ENDS for word in words] + _rare(draw)
        self._spelt = pa.array(spelt + [word.capitalize() + " " for word in words])
        self._rare_from, self._capital_from = len(ENDS) * WORDS, len(spelt)
        shares = 1 / (np.arange(WORDS) + 3) ** ZIPF
        self._by_share = draw.choice(WORDS, 1 << 22, p=shares / shares.sum()).astype(np.int32)
        self._end_by_share = draw.choice(len(ENDS), 1 << 16, p=END_SHARES).astype(np.int32)
        self._pool: list[Numbers] = []

    def batch(self) -> pa.Array:
        lengths = np.exp(self._draw.normal(np.log(MEDIAN_WORDS), SPREAD, BATCH)).clip(5, LONGEST_WORDS).astype(np.int64)
        documents = np.split(self._tokens(int(lengths.sum())), np.cumsum(lengths)[:-1])
        for place, kind in enumerate(self._draw.random(BATCH)):
            documents[place] = self._or_copy(documents[place], kind)
            documents[place][-1] = (len(ENDS) - 1) * WORDS + documents[place][-1] % WORDS
        return self._spell(documents)

    def _tokens(self, number: int) -> Numbers:
        """Numbers of spellings; one that ends a sentence is followed by a capital."""
        word = self._by_share[self._draw.integers(0, len(self._by_share), number)]
        end = self._end_by_share[self._draw.integers(0, len(self._end_by_share), number)]
        first = np.concatenate([[True], end[:-1] > 1]) & (end == 0)
        tokens = np.where(first, self._capital_from + word, end * WORDS + word).astype(np.int32)
        rare = np.flatnonzero(self._draw.random(number) < RARE)
        tokens[rare] = self._rare_from + self._draw.integers(0, RARE_KINDS, len(rare))
        return tokens

    def _or_copy(self, fresh: Numbers, kind: float) -> Numbers:
        """The document itself, or in its place a copy or junk; a share of the fresh ones can be copied later."""
        if kind < EXACT + NEAR and self._pool:
            copied = self._pool[self._draw.integers(0, len(self._pool))]
            return copied if kind < EXACT else self._edited(copied)
        if kind > 1 - JUNK:
            return np.resize(fresh[: max(2, len(fresh) // 100)], len(fresh))
        if len(self._pool) < POOL:
            self._pool.append(fresh.copy())
        elif kind < 0.3:
            self._pool[self._draw.integers(0, POOL)] = fresh.copy()
        return fresh

    def _edited(self, copied: Numbers) -> Numbers:
        """Other words in some places; at least in one."""
        edited = copied.copy()
        places = self._draw.integers(0, len(copied), max(1, int(EDITED * len(copied))))
        edited[places] = self._by_share[self._draw.integers(0, len(self._by_share), len(places))]
        return edited

    def _spell(self, documents: list[Numbers]) -> pa.Array:
        spelt = self._spelt.take(pa.array(np.concatenate(documents)))
        ends = np.concatenate([[0], np.cumsum([len(document) for document in documents])])
        offsets = np.frombuffer(spelt.buffers()[1], np.int32)[ends]
        return pa.Array.from_buffers(pa.string(), len(documents), [None, pa.py_buffer(offsets), spelt.buffers()[2]])


def _words(draw: np.random.Generator) -> list[str]:
    """Spellings, the commonest first, none twice."""
    found = dict.fromkeys(COMMON)
    while len(found) < WORDS:
        word = "".join(SYLLABLES[n] for n in draw.integers(0, len(SYLLABLES), draw.integers(1, 5)))
        found[word.translate(ACCENTED) if len(found) % 25 == 0 and len(found) > 2_000 else word] = None
    return list(found)


def _rare(draw: np.random.Generator) -> list[str]:
    """What clean and filter are for."""
    made = []
    for number in range(RARE_KINDS):
        a, b, c = (int(n) for n in draw.integers(100, 999, 3))
        made.append(RARE_FORMS[number % len(RARE_FORMS)].format(a=a, b=b, c=c, d=a % 200 + 20, e=b % 250))
    return made


RARE_FORMS = (
    "write to anna.{a}@mail{b}.org ",
    "call +44 20 7{a} {b}1 ",
    "from 81.{d}.{e}.7 ",
    "in {a} of {b} cases ",
    "the Â©{a} &amp; <b>{b}</b> ",
    "don\u2019t \u201cquote\u201d {a} ",
    "donâ€™t {a} ",
    "see https://site{a}.com/page/{b}?id={c} ",
    "\nShare this post\n",
    "\n\n## Part {a}\n\n",
    "`value_{a} = {b}`  ",
    "\n```python\nfor i in range({a}):\n    print(i, {b})\n```\n",
    "\u00a0\u200b{a}\t ",
    "2{a}-0{e} ",
    'api_key = "k{a}Zq{b}XvT{c}LmN8" ',
    '<div class="c{a}">',
)
