"""The whole stack of compose, started as a user starts it, with its settings and what can be asked of it."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from containers.conftest import ROOT, docker

PROJECT = f"nocturne-test-{os.getpid()}"  # so that two runs on one engine do not meet
PATIENCE = 900  # seconds for one DAG run, or for the DAG processor's first pass
PORTS = ("AIRFLOW_PORT", "MLFLOW_PORT", "S3_PORT", "S3_CONSOLE_PORT")


class Stack:
    """A running stack, its settings and its REST API."""

    def __init__(self, env_file):
        self.env_file = env_file
        self.settings = dict(re.findall(r"^(\w+)=(.*)$", env_file.read_text(), flags=re.MULTILINE))

    def make(self, *words):
        env = {name: value for name, value in os.environ.items() if name not in self.settings}
        command = ["make", "--no-print-directory", "-o", "images", *words, f"ENV_FILE={self.env_file}"]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def airflow(self, path, body=None, token=None, method=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        url = f"http://127.0.0.1:{self.settings['AIRFLOW_PORT']}{path}"
        request = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, None

    def page(self, path):
        """A page of the plugin, as the administrator sees it."""
        url = f"http://127.0.0.1:{self.settings['AIRFLOW_PORT']}{path}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token()}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read().decode()

    def log_in(self, password):
        return self.airflow("/auth/token", {"username": "admin", "password": password})

    def token(self):
        return self.log_in(self.settings["AIRFLOW_ADMIN_PASSWORD"])[1]["access_token"]

    def last_run(self, dag, token):
        """The latest run's state, and its tasks' states by task id."""
        runs = self.airflow(f"/api/v2/dags/{dag}/dagRuns?order_by=-run_after&limit=1", token=token)[1]["dag_runs"]
        if not runs:
            return "none", {}
        path = f"/api/v2/dags/{dag}/dagRuns/{runs[0]['dag_run_id']}/taskInstances"
        tasks = self.airflow(path, token=token)[1]["task_instances"]
        return runs[0]["state"], {task["task_id"]: task["state"] for task in tasks}

    def wait_for(self, dag, token):
        """The latest run's state and its tasks' states, once it has ended."""
        deadline = time.monotonic() + PATIENCE
        while (run := self.last_run(dag, token))[0] not in ("success", "failed") and time.monotonic() < deadline:
            time.sleep(3)
        return run

    def log_of(self, task):
        """Everything that the tries of a task have logged."""
        found = f"cat $(find /opt/airflow/logs -type f -path '*task_id={task}*')"
        return docker("exec", self.services()["airflow-scheduler"]["Id"], "sh", "-c", found, check=False)

    def stage_containers(self, *options):
        """Ids of the stages' containers that there are."""
        label = f"label=nocturne.socket-proxy={PROJECT}"
        return docker("ps", "-aq", "--filter", label, *options).split()

    def in_stage(self, image, code):
        """Run Python in the image of a stage, where stages run; what it prints last is JSON."""
        keys = ["-e", f"KEY={self.settings['S3_ACCESS_KEY']}", "-e", f"SECRET={self.settings['S3_SECRET_KEY']}"]
        where = ["--network", f"{PROJECT}_tasks", "-e", "MLFLOW_TRACKING_URI=http://mlflow:5000", *keys]
        printed = docker("run", "--rm", *where, "--entrypoint", "python", image, "-c", code)
        return json.loads(printed.splitlines()[-1])

    def services(self):
        ids = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}").split()
        found = json.loads(docker("inspect", *ids)) if ids else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def started(folder: Path) -> Iterator[Stack]:
    """The stack with generated settings in this folder and ports that are free; removed whole in the end."""
    env_file = folder / "env"
    subprocess.run(["python3", ROOT / "images/stack.py", "env", env_file], check=True, capture_output=True)
    text = env_file.read_text().replace("COMPOSE_PROJECT_NAME=nocturne", f"COMPOSE_PROJECT_NAME={PROJECT}")
    for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
        text = re.sub(rf"^{name}=.*$", f"{name}={port}", text, flags=re.MULTILINE)
    env_file.write_text(text)
    running = Stack(env_file)
    try:
        running.said = running.make("up")
        yield running
    finally:
        running.make("down", "VOLUMES=1")
