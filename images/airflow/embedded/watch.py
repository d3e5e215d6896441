"""Following a DAG run: one line for each task as it ends."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from embedded.airflow_api import Airflow
from embedded.console import Console

POLL_SECONDS = 0.4
ENDED = {"success", "failed", "skipped", "upstream_failed", "removed", "up_for_retry"}
STATES = {"success": "done", "upstream_failed": "not run", "up_for_retry": "try again"}
Task = dict[str, Any]


class RunFailed(Exception):
    """A run did not succeed; the message holds the failing task's own words and where its log is."""


class Watch:
    """Shows runs of one Airflow while they go on. `check` is called while waiting; it may raise."""

    def __init__(self, airflow: Airflow, console: Console, logs: Path, check: Callable[[], None]) -> None:
        self.airflow, self.console, self.logs, self.check = airflow, console, logs, check

    def follow(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """Wait for a run; returns what each of its tasks returned, in the order in which they ended.

        Raises `RunFailed` when it fails.
        """
        self.console.say(f"\n{dag}")
        results: dict[str, dict[str, Any]] = {}
        shown: set[tuple[str, int]] = set()
        while True:
            state = self.airflow.run_state(dag, run)["state"]
            tasks = self.airflow.tasks(dag, run)
            for task in tasks:
                attempt = (task["task_id"], task["try_number"])
                if task["state"] in ENDED and attempt not in shown:
                    shown.add(attempt)
                    results |= self._show(dag, run, task)
            if state in ("success", "failed"):
                break
            self._status(tasks)
            self.check()
            time.sleep(POLL_SECONDS)
        if state == "failed":
            raise RunFailed(self._why(dag, run, tasks))
        return results

    def _show(self, dag: str, run: str, task: Task) -> dict[str, dict[str, Any]]:
        name = task["task_id"]
        result = self.airflow.result(dag, run, name) if task["state"] == "success" else None
        said = outcome(result)
        if task["state"] == "up_for_retry":
            said = last_error(self._log_of(dag, run, task))
        elif task["state"] == "skipped":
            said = skip_reason(self._log_of(dag, run, task))
        state = STATES.get(task["state"], task["state"])
        self.console.say(f"  {name:<20} {state:<11} {task['duration'] or 0:6.1f} s  {said}".rstrip())
        return {name: result} if result else {}

    def _status(self, tasks: list[Task]) -> None:
        going = [task["task_id"] for task in tasks if task["state"] in ("running", "queued", "up_for_retry")]
        self.console.status(f"  {', '.join(going)} ..." if going else "  waiting for the scheduler ...")

    def _why(self, dag: str, run: str, tasks: list[Task]) -> str:
        lines = []
        for task in tasks:
            if task["state"] == "failed":
                log = self._log_of(dag, run, task)
                lines += [f"{dag}: {task['task_id']} failed: {last_error(log)}", f"Log: {log}"]
        return "\n".join(lines) or f"{dag} failed, but none of its tasks did; see {self.logs}"

    def _log_of(self, dag: str, run: str, task: Task) -> Path:
        folder = self.logs / f"dag_id={dag}" / f"run_id={run}" / f"task_id={task['task_id']}"
        return folder / f"attempt={task['try_number']}.log"


def outcome(result: dict[str, Any] | None) -> str:
    """What a stage did, in a few words."""
    found = result or {}
    counts = [f"{found[what]:,} {what}" for what in ("rows", "dropped") if found.get(what)]
    return ", ".join(["reused"] * bool(found.get("reused")) + counts)


def skip_reason(log: Path) -> str:
    """Why a task skipped itself; empty where it was skipped because of another."""
    return next((str(entry["reason"]) for entry in entries(log) if entry.get("reason")), "")


def last_error(log: Path) -> str:
    """The last error in a task's log: the exception's own message where there is one."""
    if not log.exists():
        return "it wrote no log"
    message = "it says nothing"
    for entry in entries(log):
        if entry.get("level") in ("error", "critical"):
            raised = [str(error["exc_value"]) for error in entry.get("error_detail") or [] if not error["is_cause"]]
            message = raised[0] if raised else str(entry.get("event"))
    return message.partition("\n")[0]


def entries(log: Path) -> Iterator[dict[str, Any]]:
    """The lines of a task's log that are JSON objects; none where there is no log."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else ():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry
