"""A few calls of Airflow's REST API, with nothing but the standard library."""

import json
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlencode

BROKEN_RECIPES = "broken_recipes.py"  # the DAG file whose import error lists recipes that cannot be read


class AirflowAnswer(Exception):
    """Airflow refused a call; `status` is the HTTP status and the message holds what it said."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(f"Airflow answered {status}: {message}")


class DagNotLoaded(Exception):
    """A DAG did not appear; the message holds what Airflow says about its files."""


def obstacles(dag: str, errors: list[dict[str, Any]]) -> list[str]:
    """What Airflow's import errors say against one DAG; another recipe's mistake is none of its business."""
    recipe = f"/{dag.partition('_')[2]}.yaml"
    told = []
    for error in errors:
        if not error["filename"].endswith(BROKEN_RECIPES):
            told.append(f"{error['filename']}: {error['stack_trace']}")
        else:
            messages = error["stack_trace"].rpartition("BadConfig: ")[2].split("\n\n")
            told.extend(message.strip() for message in messages if recipe in message)
    return told


class Airflow:
    """A logged-in client. Values are the JSON that Airflow sends."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._token = ""
        answer = self._call("POST", "/auth/token", {"username": user, "password": password})
        self._token = answer["access_token"]

    def get(self, path: str, **query: Any) -> Any:
        """GET below /api/v2."""
        return self._call("GET", f"/api/v2{path}" + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST below /api/v2."""
        return self._call("POST", f"/api/v2{path}", body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """PATCH below /api/v2."""
        return self._call("PATCH", f"/api/v2{path}", body)

    def wait_for_dag(self, dag: str, since: str, seconds: float = 120) -> None:
        """Wait until a DAG's file was read after `since` (an ISO time).

        Raises `DagNotLoaded` with what keeps it from being read, or when time is up.
        """
        deadline = time.monotonic() + seconds
        while not self._is_read(dag, since):
            errors = [error for error in self.get("/importErrors")["import_errors"] if error["timestamp"] > since]
            told = obstacles(dag, errors)
            if told or time.monotonic() > deadline:
                raise DagNotLoaded("\n".join([f"Airflow could not load the DAG {dag}.", *told]))
            time.sleep(0.3)

    def ensure_pool(self, name: str, slots: int) -> None:
        """Make a pool where there is none; one that is there keeps its size."""
        try:
            self.post("/pools", {"name": name, "slots": slots})
        except AirflowAnswer as answer:
            if answer.status != 409:
                raise

    def trigger(self, dag: str) -> str:
        """Start a run now; returns its id."""
        return str(self.post(f"/dags/{dag}/dagRuns", {"logical_date": None, "conf": {}})["dag_run_id"])

    def end_unfinished(self, dag: str) -> None:
        """Forget asset events that wait for this DAG, then fail the runs that an interrupted command left going."""
        try:
            self._call("DELETE", f"/api/v2/dags/{dag}/assets/queuedEvents")
        except AirflowAnswer as answer:
            if answer.status != 404:
                raise
        for state in ("running", "queued"):
            for run in self.get(f"/dags/{dag}/dagRuns", state=state)["dag_runs"]:
                self.patch(f"/dags/{dag}/dagRuns/{quote(run['dag_run_id'], safe='')}", {"state": "failed"})

    def run_state(self, dag: str, run: str) -> dict[str, Any]:
        """One run."""
        return dict(self.get(f"/dags/{dag}/dagRuns/{quote(run, safe='')}"))

    def tasks(self, dag: str, run: str) -> list[dict[str, Any]]:
        """The task instances of a run, in the order in which they started."""
        found = self.get(f"/dags/{dag}/dagRuns/{quote(run, safe='')}/taskInstances")["task_instances"]
        return sorted(found, key=lambda task: task["start_date"] or "9")

    def result(self, dag: str, run: str, task: str) -> dict[str, Any] | None:
        """What a task returned; None where it returned nothing."""
        path = f"/dags/{dag}/dagRuns/{quote(run, safe='')}/taskInstances/{task}/xcomEntries/return_value"
        try:
            value = self.get(path)["value"]
        except AirflowAnswer as answer:
            if answer.status != 404:
                raise
            return None
        found = json.loads(value) if isinstance(value, str) else value
        return found if isinstance(found, dict) else None

    def runs_started_by(self, dag: str, run: str) -> list[tuple[str, str]]:
        """DAG and run id of every run that this run's asset events started."""
        try:
            events = self.get("/assets/events", source_dag_id=dag, source_run_id=run)["asset_events"]
        except AirflowAnswer as answer:
            if answer.status != 500:
                raise
            return []  # Airflow 3.3.2 cannot show a run that is made but not yet started
        return [(str(made["dag_id"]), str(made["run_id"])) for event in events for made in event["created_dagruns"]]

    def _is_read(self, dag: str, since: str) -> bool:
        try:
            return bool((self.get(f"/dags/{dag}")["last_parsed_time"] or "") > since)
        except AirflowAnswer as answer:
            if answer.status != 404:
                raise
            return False

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AirflowAnswer(error.code, error.read().decode("utf-8", "replace")[:500]) from None
