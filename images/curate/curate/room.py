"""Arrays that may outgrow memory."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

IN_MEMORY = 64 << 20  # bytes; a larger array lies in a file, whose pages the system may take back at any time


def room(shape: int | Sequence[int], dtype: npt.DTypeLike, folder: Path | None) -> npt.NDArray[Any]:
    """An array of any content; a large one is a file in `folder` that is gone with the array."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if folder is None or size < IN_MEMORY:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(dir=folder) as file:
        mapped = np.memmap(file, dtype, "w+", shape=shape if isinstance(shape, int) else tuple(shape))
        return mapped.view(np.ndarray)
