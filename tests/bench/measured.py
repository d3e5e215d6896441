"""A command's time and memory, for benchmarks."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SAMPLE_SECONDS = 0.02
MB = 1e6


@dataclass(frozen=True)
class Measured:
    """Wall and CPU seconds, and the peaks of resident memory (MB): all of it, and without pages that a file backs."""

    seconds: float
    cpu: float
    resident: float
    anonymous: float
    output: str
    status: int = 0


def measured(
    command: list[str], env: dict[str, str] | None = None, limit: float | None = None, ends: tuple[int, ...] = (0,)
) -> Measured:
    """Run a command to its end. Fails loudly, with what the command said, when it ends with another status than `ends`.

    With a `limit` (MB), it and its children are killed as soon as they hold more memory that no file backs.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as log:
        started = time.monotonic()
        process = subprocess.Popen(command, env=os.environ | (env or {}), stdout=out, stderr=log, text=True)
        peaks = _Peaks(process.pid, limit)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        peaks.stop()
        out.seek(0)
        if peaks.killed:
            sys.exit(f"{' '.join(command)} held {peaks.anonymous / MB:,.0f} MB, more than {limit:,.0f}:\n{_end(log)}")
        code = os.waitstatus_to_exitcode(status)
        if code not in ends:
            sys.exit(f"{' '.join(command)} ended with {code}:\n{_end(log)}")
        cpu = usage.ru_utime + usage.ru_stime
        return Measured(seconds, cpu, peaks.resident / MB, peaks.anonymous / MB, out.read(), code)


class _Peaks:
    """Looks at a process and its children every few milliseconds; `ru_maxrss` would count the parent's memory too."""

    def __init__(self, pid: int, limit: float | None) -> None:
        self.pid, self.resident, self.anonymous = pid, 0, 0
        self.limit, self.killed = limit, False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            family = _family(self.pid)
            self.resident = max(self.resident, sum(_bytes(pid, ("VmRSS",)) for pid in family))
            self.anonymous = max(self.anonymous, sum(_bytes(pid, ("RssAnon", "RssShmem")) for pid in family))
            if self.limit and self.anonymous > self.limit * MB and not self.killed:
                self.killed = True
                for pid in reversed(family):
                    os.kill(pid, signal.SIGKILL)


def _end(log: IO[str]) -> str:
    log.seek(0)
    return log.read()[-4000:]


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, tasks.read_text().split())
            except OSError:  # the thread has just ended
                continue
    return found


def _bytes(pid: int, names: tuple[str, ...]) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # the process has just ended
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(names))
