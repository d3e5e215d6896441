"""The substring pass over a corpus: find passages that rows share, then decide."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from contract.config.deduplicate import DeduplicateConfig
from contract.failures import BadConfig
from curate.deduplicate.corpus import Corpus
from curate.deduplicate.facts import Facts
from curate.deduplicate.standing import FOLLOWS, hand_back, places_of
from curate.deduplicate.substring import Passages, may_share, shared_passages
from curate.deduplicate.verdicts import KEPT, PASSAGES, Start
from curate.scan.arrays import I64s
from curate.scan.buffers import Texts
from curate.text import column_of, text_column

CHARACTERS = 6  # of a word and the space after it, about


def fold_passages(corpus: Corpus, facts: Facts, config: DeduplicateConfig, start: Start, order: I64s) -> Passages:
    """Drop rows that consist of passages of kept rows, as `config.substring` says; returns all passages, by
    row. Raises `BadConfig` where samples are to be cut."""
    assert config.substring
    assert start.folder
    if config.substring.action == "cut" and config.field != "text":
        raise BadConfig(
            f"`substring.action` is 'cut', but `field` is {config.field!r}: half a sample is no sample",
            expected="'drop' or 'report' for samples",
        )
    places, count = places_of(start.verdicts, order), len(order)
    place, follows = np.full(count, count, np.int64), np.full(count, -1, np.int64)
    place[places.rows] = np.arange(len(places.rows))
    follows[places.rows] = np.where(places.follows < 0, -1, places.rows[places.follows])
    wanted = place < count
    words = int(facts.length[wanted].sum()) // CHARACTERS
    shared = may_share(
        lambda: _texts(corpus, config, wanted), words, config.substring.length, start.folder, config.workers
    )
    choice = shared_passages(shared, place, follows, start.settled, config.substring)
    partner, share = np.where(follows[places.rows] < 0, KEPT, FOLLOWS), np.zeros(len(places.rows))
    partner[place[shared.rows]], share[place[shared.rows]] = choice.partner, choice.share
    _free_followers(partner, places.follows)
    hand_back(start.verdicts, places.rows, partner, share, PASSAGES)
    start.verdicts.metrics |= {
        "rows_that_share_passages": len(np.unique(choice.passages.row)),
        "shared_passages": len(choice.passages),
        "shared_words": int((choice.passages.end - choice.passages.start).sum()),
    }
    return choice.passages.by_row()


def _free_followers(partner: I64s, follows: I64s) -> None:
    """A row without any passage, dropped for one that has gone now, is kept."""
    following = np.flatnonzero(partner == FOLLOWS)
    partner[following[partner[follows[following]] != KEPT]] = KEPT


def _texts(corpus: Corpus, config: DeduplicateConfig, wanted: np.ndarray) -> Iterator[tuple[I64s, Texts]]:
    for first, batch in corpus.batches([column_of(config.field)]):
        some = np.flatnonzero(wanted[first : first + batch.num_rows])
        if len(some):
            yield some + first, text_column(batch.take(pa.array(some)), config.field)
