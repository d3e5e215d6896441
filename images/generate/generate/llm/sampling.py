"""Some of many, always the same: drawn by lot, lest something that comes at regular distances is seen too often."""

import random
from collections.abc import Sequence
from typing import TypeVar

import pyarrow as pa

from contract.records import Record
from generate.llm.estimating import SAMPLE
from stagekit.dataset import Dataset
from stagekit.schema import to_rows

R = TypeVar("R", bound=Record)


def sampled(dataset: Dataset, record: type[R], most: int = SAMPLE) -> list[R]:
    """At most so many of a dataset's rows, in their order; the others never become objects."""
    places, before, found = drawn_places(dataset.rows, most), 0, list[R]()
    for batch in dataset.batches():
        here = [place - before for place in places if before <= place < before + batch.num_rows]
        found += to_rows(batch.take(pa.array(here, pa.int64())), record) if here else []
        before += batch.num_rows
    return found


def drawn_places(total: int, most: int) -> Sequence[int]:
    """At most so many of the numbers below `total`, in order."""
    return range(total) if total <= most else sorted(random.Random(total).sample(range(total), most))
