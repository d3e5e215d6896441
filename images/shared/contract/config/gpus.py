"""GPUs by name, and what memory each leaves to a training."""

from typing import Literal

Gpu = Literal[
    "t4", "l4", "a10g", "rtx_3090", "rtx_4090", "v100", "a100_40", "l40s", "a100_80", "h100", "h200", "b200"
]  # fmt: skip
GPU_MEMORY_GB: dict[Gpu, float] = {
    "t4": 15.6,
    "l4": 23.6,
    "a10g": 23.6,
    "rtx_3090": 25.3,
    "rtx_4090": 25.3,
    "v100": 16.9,
    "a100_40": 42.2,
    "l40s": 47.6,
    "a100_80": 84.9,
    "h100": 84.9,
    "h200": 150.0,
    "b200": 191.4,
}
"""Memory that a driver leaves to programs (GB of 10^9 bytes), which is less than what is printed on the box."""
