"""What the stage tells the processes that train for it, and what they tell it, as files in a folder of their own."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contract.failures import FAILURES, Failure

TASK, OUTCOME, ENDED = "task.json", "outcome.json", "ended.json"
FAILED = "failure-"


@dataclass(frozen=True)
class Task:
    """One training as its processes get it: config and inputs of the stage, where to put what, where to start.

    `run` is the MLflow run as JSON, or None where nothing is tracked; `start` a checkpoint's step and tokens.
    """

    config: dict[str, Any]
    inputs: dict[str, str]
    output: str
    key: str
    folder: str
    weights: str
    run: str | None
    start: Sequence[int] | None

    def write(self) -> Path:
        """Write it to its folder."""
        path = Path(self.folder) / TASK
        path.write_text(json.dumps(asdict(self)))
        return path

    @classmethod
    def read(cls, path: Path) -> "Task":
        """Read what `write` wrote."""
        return cls(**json.loads(path.read_text()))


def write_failure(folder: Path, rank: int, failure: Failure) -> None:
    """Leave a failure for the stage to raise."""
    said = {name: getattr(failure, name) for name in ("found", "expected", "where", "hint")}
    (folder / f"{FAILED}{rank}.json").write_text(json.dumps({"type": type(failure).__name__} | said))


def read_failure(folder: Path) -> Failure | None:
    """The failure of the first process that left one."""
    kinds = {kind.__name__: kind for kind in FAILURES}
    for path in sorted(folder.glob(f"{FAILED}*.json")):
        said = json.loads(path.read_text())
        return kinds[said.pop("type")](said.pop("found"), **said)
    return None
