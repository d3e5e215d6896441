"""Killing, clearing and losing workers: no orphan, no overlap, nothing left behind. Real processes, real containers."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.timeout import TimeoutPosix

WORKER = Path(__file__).parent / "worker.py"
ROOT = Path(__file__).resolve().parents[2]
STARTED_WITHIN = 60.0
KILLED_WITHIN = 5.0  # then Airflow kills the worker


class House:
    """One task instance of one run, and what of it is alive."""

    def __init__(self, kind, store):
        self.kind = kind
        self.mark = store / f"mark-{uuid.uuid4().hex}"
        self.run_id = uuid.uuid4().hex
        store.mkdir(exist_ok=True)

    def worker(self, wishes, try_number=1):
        paths = f"{ROOT / 'plugins'}:{ROOT / 'images' / 'shared'}"
        command = [sys.executable, str(WORKER), f"mark={self.mark},{wishes}", str(try_number)]
        env = os.environ | {"RUN_ID": self.run_id, "PYTHONPATH": paths}
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)

    def starts(self):
        """Process ids of all stages that were started so far, as they saw themselves."""
        return self.mark.read_text().split() if self.mark.exists() else []

    def alive(self):
        """Whatever of this task instance still runs or lies about."""
        if self.kind == "docker":
            command = ["docker", "ps", "-aq", "--no-trunc", "--filter", f"label=nocturne.run_id={self.run_id}"]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        marked = [path.parent for path in Path("/proc").glob("[0-9]*/cmdline") if self._is_ours(path)]
        return [path.name for path in marked]

    def wait_for_starts(self, number):
        deadline = time.monotonic() + STARTED_WITHIN
        while len(self.starts()) < number:
            assert time.monotonic() < deadline, "the stage did not start"
            time.sleep(0.05)

    def _is_ours(self, path):
        try:
            arguments = path.read_bytes().split(b"\0")
            sessions = (path.parent / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return sessions[0] != "Z" and sessions[3] in self.starts() and arguments != [b""]


def ended(worker, within=120):
    output, _ = worker.communicate(timeout=within)
    return output.strip().splitlines()[-1]


@pytest.fixture
def house(runner_kind, tmp_path):
    return House(runner_kind, tmp_path / "store")


def test_kill_ends_a_deaf_stage_and_its_children_in_time(house):
    worker = house.worker("sleep=600,deaf,child")
    house.wait_for_starts(1)
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    while house.alive():
        assert time.monotonic() - began < KILLED_WITHIN
        time.sleep(0.1)
    assert "StageTrouble" in ended(worker)


def test_try_after_a_lost_worker_neither_overlaps_nor_leaves_an_orphan(house):
    sleep = "sleep=14" if house.kind == "docker" else "sleep=2"  # longer than a new try waits for the old one's worker
    first = house.worker(sleep)
    house.wait_for_starts(1)
    before = house.alive()
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert house.alive() == before  # nobody was there to end it
    assert json.loads(ended(house.worker(sleep, try_number=2)))["rows"] == 3
    starts = house.starts()
    # A container is taken over; a process, whose output nobody could follow, is ended and started again.
    assert len(starts) == (1 if house.kind == "docker" else 2)
    assert house.alive() == []


@pytest.mark.needs_docker
def test_finished_container_of_a_lost_worker_is_not_run_again(fake_image, project, tmp_path, monkeypatch):
    monkeypatch.setenv("NOCTURNE_RUNNER", "docker")
    monkeypatch.setenv("NOCTURNE_IMAGE_TAG", fake_image)
    house = House("docker", tmp_path / "store")
    first = house.worker("sleep=1")
    house.wait_for_starts(1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    time.sleep(2)
    assert json.loads(ended(house.worker("sleep=1", try_number=2)))["rows"] == 3
    assert len(house.starts()) == 1
    assert house.alive() == []


def test_clear_while_running_never_runs_two(house):
    first = house.worker("sleep=8,deaf")
    house.wait_for_starts(1)
    second = house.worker("sleep=8,deaf", try_number=2)
    time.sleep(2)  # until the first worker's next heartbeat tells it
    overlap = len(house.alive()) > 1
    first.send_signal(signal.SIGTERM)
    assert json.loads(ended(second))["rows"] == 3
    ended(first)
    assert not overlap
    assert len(house.starts()) == 2
    assert house.alive() == []


def test_other_command_replaces_what_an_earlier_try_left(house):
    first = house.worker("sleep=600")
    house.wait_for_starts(1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert json.loads(ended(house.worker("sleep=0", try_number=2)))["rows"] == 3
    assert len(house.starts()) == 2
    assert house.alive() == []


def test_timeout_stays_a_timeout(ingest_that, run, runner_kind):
    operator = ingest_that("sleep=600")
    with pytest.raises(AirflowTaskTimeout), TimeoutPosix(3):
        run(operator)
    operator.on_kill()
