"""A real Airflow whose stages are stand-ins: its scheduler, server and UI are tried, and no run takes long."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.release import Release
from embedded import stack
from embedded.console import Console
from embedded.services import Running
from embedded.settings import Home

DAG, REFRESH = "finetune_demo", "refresh_demo"
PATIENCE = 180.0
"""Seconds for a run whose stages end at once, on a machine that others use too."""
STAGES = Path(__file__).parent / "standin_stages"
"""What runs in the place of every image's package."""


@dataclass(frozen=True)
class StandinAirflow:
    """The embedded stack over a store with one published version."""

    stack: stack.Stack
    dag: str = DAG

    def trigger(self, run: str, **conf: Any) -> str:
        """Start a run with this id, and these values in its form."""
        chosen = {"dataset": "latest", **conf} if self.dag == DAG else conf
        asked = {"logical_date": None, "dag_run_id": run, "conf": chosen}
        made = self.stack.airflow.post(f"/dags/{self.dag}/dagRuns", asked)
        return str(made["dag_run_id"])

    def tasks(self, run: str) -> dict[str, str]:
        """Tasks of a run and their states; of a mapped task, one for each of its instances."""
        found = self.stack.airflow.tasks(self.dag, run)
        return {task["task_id"] + _index(task["map_index"]): task["state"] for task in found}

    def until_asked(self, run: str, after: int = 0, heard: bool = True) -> int:
        """Wait until the question of a run waits for a person in a later try than this one; the number of that try.

        With `heard` it waits until the scheduler knows of it, too: an answer before that is lost.
        """

        def tries() -> list[int]:
            found = [task for task in self.stack.airflow.tasks(self.dag, run) if task["task_id"] == "approve"]
            return [t["try_number"] for t in found if t["state"] == "awaiting_input" and t["try_number"] > after]

        self._await(lambda: bool(tries()))
        asked = tries()[0]
        if heard:
            self._await(lambda: self._heard(run, asked))
        return asked

    def ended(self, run: str) -> tuple[str, dict[str, str]]:
        """How a run has ended, and its tasks."""
        self._await(lambda: self._state(run) in ("success", "failed"))
        return self._state(run), self.tasks(run)

    def answer(self, run: str, chosen: str) -> dict[str, Any]:
        """Approve or reject as a program does."""
        path = f"/dags/{self.dag}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"
        return dict(self.stack.airflow.patch(path, {"chosen_options": [chosen], "params_input": {}}))

    def told(self, stage: str) -> list[str]:
        """The configurations that a stage was run with, as JSON, in order."""
        path = self.stack.home.store / f"{stage}.jsonl"
        return path.read_text().splitlines() if path.exists() else []

    def _heard(self, run: str, tried: int) -> bool:
        said = (self.stack.home.logs / "scheduler.log").read_text()
        task = f"TaskInstanceKey(dag_id='{self.dag}', task_id='approve', run_id='{run}', try_number={tried},"
        return f"Received executor event with state success for task instance {task}" in said

    def _state(self, run: str) -> str:
        return str(self.stack.airflow.run_state(self.dag, run)["state"])

    def _await(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.2)


def _index(number: int) -> str:
    return f"[{number}]" if number >= 0 else ""


@contextmanager
def standin_airflow(folder: Path) -> Iterator[StandinAirflow]:
    """Start it, and stop it whatever happens."""
    home, project = Home(folder / "home"), folder / "project"
    for image in ("curate", "generate", "finetune"):
        binaries = project / ".venv" / image / "bin"
        binaries.mkdir(parents=True)
        (binaries / "python").symlink_to(sys.executable)
        (project / "images" / image).mkdir(parents=True)
        (project / "images" / image / image).symlink_to(STAGES)
    dags = shutil.copytree(stack.ROOT / "dags", folder / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    with (dags / "recipes" / "demo.yaml").open("a") as recipe:
        recipe.write("\npublish_approval_hours: 2\n")
    published = home.store / "demo" / "publish" / "latest.json"
    published.parent.mkdir(parents=True)
    release = Release(version=1, key="1" * 20, content_hash="cd", rows=2, published_at="2026-01-01T00:00:00Z")
    published.write_text(release.model_dump_json())

    real = stack.airflow_environment
    own = {"NOCTURNE_HOME": str(project), "AIRFLOW__CORE__EXECUTOR": "late_executor.LateExecutor"}
    own["AIRFLOW__CORE__DAGS_FOLDER"] = str(dags)

    def environment(*given: Any) -> dict[str, str]:
        paths = f"{real(*given)['PYTHONPATH']}{os.pathsep}{Path(__file__).parent}"
        return real(*given) | own | {"PYTHONPATH": paths}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stack, "airflow_environment", environment)
        services = Running(stack.register(home))
        try:
            running = stack.start(home, "process", services, Console())
            for dag in (DAG, REFRESH):
                running.airflow.wait_for_dag(dag, running.started)
                running.airflow.patch(f"/dags/{dag}", {"is_paused": False})
            yield StandinAirflow(running)
        finally:
            services.stop()
