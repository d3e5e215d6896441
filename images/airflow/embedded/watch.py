"""Following a DAG run: one line for each task as it ends."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedded.airflow_api import Airflow
from embedded.console import Console

POLL_SECONDS = 0.4
ENDED = {"success", "failed", "skipped", "upstream_failed", "removed"}
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
        shown: set[str] = set()
        while True:
            state = self.airflow.run_state(dag, run)["state"]
            tasks = self.airflow.tasks(dag, run)
            for task in tasks:
                if task["state"] in ENDED and task["task_id"] not in shown:
                    shown.add(task["task_id"])
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
        self.console.say(f"  {name:<22} {task['state']:<9} {task['duration'] or 0:6.1f} s  {outcome(result)}".rstrip())
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
    if not result or "rows" not in result:
        return ""
    counts = [("rows", result["rows"]), ("dropped", result["dropped"])]
    return ", ".join(["reused"] * result["reused"] + [f"{number:,} {what}" for what, number in counts if number])


def last_error(log: Path) -> str:
    """The last error in a task's log: the exception's own message where there is one."""
    if not log.exists():
        return "it wrote no log"
    message = "it says nothing"
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("level") in ("error", "critical"):
            details = entry.get("error_detail") or []
            message = str(details[-1]["exc_value"]) if details else str(entry.get("event"))
    return message
