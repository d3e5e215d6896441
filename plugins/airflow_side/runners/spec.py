"""What both runners are told, and what both answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from contract.keys import digest
from contract.stage import Resources


@dataclass(frozen=True)
class TaskIdentity:
    """Which task instance asks. All tries of one task instance share its hash."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int

    @property
    def hash(self) -> str:
        """Names the task instance, whatever its try."""
        return digest([self.dag_id, self.run_id, self.task_id, self.map_index])[:16]


@dataclass(frozen=True)
class RunSpec:
    """One command of one stage. `reads` are local paths outside the store that it may read."""

    image: str
    arguments: tuple[str, ...]
    env: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    resources: Resources
    identity: TaskIdentity
    reads: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """Names what is asked for; secrets count by name, so that a rotated key does not start work anew."""
        return digest([self.image, list(self.arguments), dict(self.env), sorted(self.secrets), list(self.reads)])[:16]


@dataclass(frozen=True)
class Ended:
    """A command that has ended. `result` is what it wrote to the file named by `NOCTURNE_RESULT`, if it did."""

    exit_code: int
    result: bytes | None = None
    out_of_memory: bool = False


class Runner(Protocol):
    """Runs one command at a time.

    1. `run` starts the command and returns once it has ended; lines of its output go to `say` as they come.
    2. Nothing of an earlier try of the same task instance goes on beside it: it is taken over, or ended first.
    3. `kill` ends the command within four seconds, children included; Airflow kills the worker after five. It may be
       called from a signal handler while `run` waits, twice, or before anything was started.
    4. When `run` leaves by an exception, nothing is left running.
    """

    def run(self, spec: RunSpec, say: Callable[[str], None]) -> Ended:
        """Run the command to its end."""

    def kill(self) -> None:
        """End the command now."""
