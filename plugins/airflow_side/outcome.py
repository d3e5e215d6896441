"""What Airflow does with each end of a stage: the exit codes of `contract/failures.py` as Airflow's exceptions.

| end | task |
|---|---|
| 0 | success, with the result as XCom |
| 10 bad config, 11 bad input, 15 damaged data | fails; a retry cannot help |
| 12 nothing left | fails, or is skipped with all that follows, as the recipe's `on_empty` says |
| 13 remote or resource trouble | retried with growing delay |
| 14 budget reached | fails; a retry would stop at once, again |
| out of memory | fails; the limit would be the same |
| 1 bug, or killed from outside | retried |
"""

import contextlib
import json
from collections.abc import Iterable, Iterator

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from pydantic import ValidationError

from airflow_side.runners.spec import Ended
from contract.failures import BY_EXIT_CODE, EmptyResult, Failure, RemoteTrouble
from contract.manifest import Result
from contract.stage import Resources

KILLED = {128 + 9, 128 + 15}


class StageFailed(AirflowFailException):
    """A stage failed in a way that another try would repeat."""


class StageOutOfMemory(StageFailed):
    """A stage reached the memory limit of its container."""


class StageEmpty(AirflowSkipException):
    """A stage left nothing, and its recipe says to skip what follows."""


class StageTrouble(AirflowException):
    """A stage failed in a way that another try may mend."""


@contextlib.contextmanager
def failures_for_airflow(on_empty: str) -> Iterator[None]:
    """Turn the contract's failures into what tells Airflow whether to try again.

    Raises `StageFailed`, `StageTrouble` or `StageEmpty`.
    """
    try:
        yield
    except RemoteTrouble as failure:
        raise StageTrouble(_named(failure)) from None
    except EmptyResult as failure:
        raise (StageEmpty if on_empty == "skip" else StageFailed)(_named(failure)) from None
    except Failure as failure:
        raise StageFailed(_named(failure)) from None


def read_result(ended: Ended, tail: Iterable[str], resources: Resources) -> Result:
    """The result of a stage that succeeded.

    Raises the contract's `Failure` of its exit code with the stage's own sentence first, `StageOutOfMemory`, or
    `StageTrouble` for a bug or a kill.
    """
    if ended.out_of_memory:
        raise StageOutOfMemory(
            f"out of memory: the container reached its limit of {resources.memory_gb:g} GB. "
            f"Try: lower `shard_rows` or `workers`, or raise `memory_gb` in contract/stages.py{_after(tail)}"
        )
    if ended.exit_code:
        raise _failure(ended, tail)
    try:
        return Result.model_validate_json(ended.result or b"")
    except ValidationError:
        raise StageTrouble(f"exit code 0 but no result file: {(ended.result or b'')[:200]!r}{_after(tail)}") from None


def _failure(ended: Ended, tail: Iterable[str]) -> Exception:
    known = BY_EXIT_CODE.get(ended.exit_code)
    if known:
        return known(_sentence(ended) + _after(tail))
    if ended.exit_code in KILLED:
        return StageTrouble(f"the stage was killed from outside (exit code {ended.exit_code}){_after(tail)}")
    return StageTrouble(f"{_sentence(ended)} (exit code {ended.exit_code}){_after(tail)}")


def _sentence(ended: Ended) -> str:
    """What the stage itself said, from its result file."""
    try:
        return str(json.loads(ended.result or b"{}").get("message", "the stage failed and left no message"))
    except ValueError:
        return "the stage failed and left half a message"


def _named(failure: Failure) -> str:
    return f"{type(failure).__name__}: {failure}"


def _after(tail: Iterable[str]) -> str:
    lines = "\n".join(tail)
    return f"\nLast lines:\n{lines}" if lines else ""
