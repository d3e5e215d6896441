"""Digests of 128 bits, shape `(rows, 2)`, of texts as they stand and of texts with case and white space folded."""

import numpy as np

from curate.scan.arrays import I64s, U64s
from curate.scan.buffers import Bytes
from curate.scan.characters import characters
from curate.scan.ready import Ready

BLOCK = 64  # bytes that are written beyond a folded text
DIGESTS, FOLDED = (Ready("curate.scan.digests", name) for name in ("digests_of_all", "folded_digests_of"))


def text_digests(texts: Bytes) -> tuple[U64s, I64s]:
    """The digest of each text's bytes, and its length in characters."""
    digests, lengths = np.empty((len(texts), 2), np.uint64), np.empty(len(texts), np.int64)
    DIGESTS(*texts, digests, lengths)
    return digests, lengths


def folded_digests(texts: Bytes, rows: I64s) -> U64s:
    """The digest of each of some texts in lower case, its white space collapsed and stripped."""
    digests = np.empty((len(rows), 2), np.uint64)
    longest = int(np.diff(texts.offsets)[rows].max(initial=0))
    FOLDED(*texts, rows, characters(), np.empty(2 * longest + BLOCK, np.uint8), digests)
    return digests
