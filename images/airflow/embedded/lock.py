"""One command at a time per checkout: the lock goes with the process that holds it, however that ends."""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE = 30.0


class Busy(Exception):
    """Another command of this checkout holds the lock: `command`, as process `pid`."""

    def __init__(self, command: str, pid: int) -> None:
        self.command, self.pid = command, pid
        super().__init__(f"make {command} (process {pid}) is running here already. Try: make stop")


@contextlib.contextmanager
def exclusive(folder: Path, command: str) -> Iterator[None]:
    """Hold the lock. Raises `Busy` when another process does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Busy(**json.load(file)) from None
        file.truncate(0)
        json.dump({"command": command, "pid": os.getpid()}, file)
        file.flush()
        yield


def ask_holder_to_stop(folder: Path) -> str:
    """End the command that holds the lock and wait for it; returns its name, or nothing where nobody held it."""
    try:
        with exclusive(folder, "stop"):
            return ""
    except Busy as busy:
        os.kill(busy.pid, signal.SIGTERM)
        wait_until_free(folder)
        return f"make {busy.command}"


def wait_until_free(folder: Path) -> None:
    """Wait for the lock. Raises `Busy` when time is up."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with exclusive(folder, "stop"):
                return
        except Busy:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
