"""Short names of the arrays that kernels take."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

U8s: TypeAlias = npt.NDArray[np.uint8]
I32s: TypeAlias = npt.NDArray[np.int32]
U32s: TypeAlias = npt.NDArray[np.uint32]
U64s: TypeAlias = npt.NDArray[np.uint64]
F64s: TypeAlias = npt.NDArray[np.float64]
I64s: TypeAlias = npt.NDArray[np.int64]
