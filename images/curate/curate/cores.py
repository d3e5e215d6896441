"""How many cores this process may use, which in a container is fewer than the machine has."""

import os
from math import ceil
from pathlib import Path

CONTROL_GROUP = Path("/sys/fs/cgroup")
"""Of a container its own limits stand here: Docker's `--cpus` is a share of time, which `os.cpu_count` knows not of."""


def cores(control_group: Path = CONTROL_GROUP) -> int:
    """Cores by affinity mask and by the CPU quota of the control group (version 2, else 1), rounded up; at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(control_group)
    return allowed if quota is None else max(1, min(allowed, ceil(quota)))


def _quota(folder: Path) -> float | None:
    """CPU seconds per second; None where there is no limit or no control group."""
    words = _words(folder / "cpu.max")
    if not words:
        words = _words(folder / "cpu" / "cpu.cfs_quota_us") + _words(folder / "cpu" / "cpu.cfs_period_us")
    if len(words) != 2 or not words[0].isdecimal():  # `max`, or -1
        return None
    return int(words[0]) / int(words[1])


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []
