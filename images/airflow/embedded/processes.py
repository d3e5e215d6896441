"""The machine's process table, and ending whole families of processes.

Airflow's tasks run in process groups of their own and outlive a killed scheduler, so neither a group nor a parent's
death ends them all; the session that a service leads, and everything descended from it, does.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
GRACE_SECONDS = 8.0


class Process(NamedTuple):
    """One living process; `started` tells it from a later one with the same number."""

    pid: int
    parent: int
    session: int
    started: str


def table() -> dict[int, Process]:
    """Every living process by its number; zombies have ended."""
    return {process.pid: process for process in (from_proc() if (PROC / "self" / "stat").exists() else from_ps())}


def from_proc() -> Iterable[Process]:
    """Linux: /proc, which needs no program installed."""
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            text = (folder / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, parent, _, session, *rest = text.rpartition(")")[2].split()  # the name before may hold anything
        if state != "Z":
            yield Process(int(folder.name), int(parent), int(session), rest[15])


def from_ps() -> Iterable[Process]:
    """Elsewhere: ps, which every Unix desktop has."""
    done = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat=,lstart="], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        pid, parent, state, started = line.split(maxsplit=3)
        if not state.startswith("Z"):
            yield Process(int(pid), int(parent), session_of(int(pid)), started)


def session_of(pid: int) -> int:
    """The session of a process; 0 where it has ended or is not ours to ask about."""
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return 0


def family(leaders: Iterable[int]) -> set[Process]:
    """Every process of the sessions that these lead, and whatever descends from them."""
    processes = table()
    found = {pid for pid, process in processes.items() if process.session in set(leaders)}
    grown = True
    while grown:
        children = {pid for pid, process in processes.items() if process.parent in found} - found
        found |= children
        grown = bool(children)
    return {processes[pid] for pid in found}


def end(leaders: list[int]) -> None:
    """Ask the leaders' process groups to end, then every member, and kill what is left after the grace."""
    members = family(leaders)
    for leader in leaders:
        signal_group(leader)
    asked_again = False
    deadline = time.monotonic() + GRACE_SECONDS
    while left := alive(members | family(leaders)):
        remaining = deadline - time.monotonic()
        if remaining < 0:
            break
        if remaining < GRACE_SECONDS / 2 and not asked_again:
            asked_again = True
            send(left, signal.SIGTERM)
        time.sleep(0.1)
    send(left, signal.SIGKILL)


def alive(members: set[Process]) -> set[Process]:
    """Those that still run, as themselves."""
    processes = table()
    return {process for process in members if process.pid in processes and same(process, processes[process.pid])}


def same(process: Process, other: Process) -> bool:
    """Whether two entries are one process."""
    return (process.pid, process.started) == (other.pid, other.started)


def send(members: Iterable[Process], number: signal.Signals) -> None:
    """Signal processes one by one."""
    for process in members:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            continue


def signal_group(leader: int) -> None:
    """Ask a process group to end; nothing happens where it has."""
    try:
        os.killpg(leader, signal.SIGTERM)
    except ProcessLookupError:
        return
