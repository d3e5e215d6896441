"""The scores of samples, as the column of a batch holds them: one JSON object a row."""

from collections.abc import Mapping

import orjson
import pyarrow as pa


def scores_of(batch: pa.RecordBatch) -> list[Mapping[str, float]]:
    """For each row its scores by name."""
    return [orjson.loads(text) if text else {} for text in batch.column("scores").to_pylist()]
