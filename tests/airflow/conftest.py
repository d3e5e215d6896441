"""An Airflow of its own on SQLite, a project folder with a stage that ends as told, and an operator to run it with."""

import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from s3_server import bucket, s3

__all__ = ["bucket", "s3"]
ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).parent / "fake"
HOME = tempfile.mkdtemp(prefix="nocturne-airflow-test-")
os.environ |= {
    "AIRFLOW_HOME": HOME,
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,vera:viewer,ann:user,bob:user,../../eve:user",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": f"{HOME}/passwords.json",
    "AIRFLOW__API_AUTH__JWT_SECRET": "a secret for tests that is long enough for HS512, which wants sixty-four bytes",
    "NOCTURNE_RUNNER": "process",
}
for name in [name for name in os.environ if name.startswith(("NOCTURNE_S3", "OPENAI", "HF_", "AIRFLOW_CONN"))]:
    del os.environ[name]


@pytest.fixture(scope="session", autouse=True)
def airflow_home():
    yield HOME
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def database():
    """Airflow's tables."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def client(database, airflow_home):
    """A client of Airflow's API server with the plugin loaded. Every user's password is their name."""
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    users = os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"].split(",")
    names = [user.partition(":")[0] for user in users]
    Path(airflow_home, "passwords.json").write_text(json.dumps({name: name for name in names}))
    return TestClient(create_app(apps="core"))


@pytest.fixture(scope="session")
def signed_in(client):
    """What a signed-in user sends with every request."""

    @cache
    def token(name: str) -> dict[str, str]:
        answer = client.post("/auth/token", json={"username": name, "password": name})
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    return token


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project folder whose image `curate` is the fake one, and an empty store."""
    home = tmp_path / "project"
    (home / "images" / "shared").mkdir(parents=True)
    (home / "images" / "curate").symlink_to(FAKE)
    binaries = home / ".venv" / "curate" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(shutil.which("python3"))
    monkeypatch.setenv("NOCTURNE_HOME", str(home))
    monkeypatch.setenv("NOCTURNE_STORE", f"file://{tmp_path}/store")
    return home


@pytest.fixture(scope="session")
def fake_image():
    """The image nocturne/curate:fake; skips where there is no engine or no image to build it from."""
    base = f"nocturne/curate:{os.environ.get('NOCTURNE_IMAGE_TAG', 'local')}"
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        pytest.skip("no Docker engine answers")
    if subprocess.run(["docker", "image", "inspect", base], capture_output=True, check=False).returncode:
        pytest.skip(f"there is no image {base} (make images)")
    recipe = f"FROM {base}\nCOPY curate /opt/nocturne/curate/curate\n"
    command = ["docker", "build", "-q", "-t", "nocturne/curate:fake", "-f", "-", str(FAKE)]
    subprocess.run(command, input=recipe, text=True, check=True, capture_output=True)
    return "fake"


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.needs_docker)])
def runner_kind(request, project, monkeypatch):
    """Runs a test with each runner."""
    if request.param == "docker":
        monkeypatch.setenv("NOCTURNE_IMAGE_TAG", request.getfixturevalue("fake_image"))
    monkeypatch.setenv("NOCTURNE_RUNNER", request.param)
    return request.param


@pytest.fixture
def recipe_that(tmp_path):
    """Makes a recipe whose first stage does as told."""
    from contract.recipe import Recipe

    def make(wishes, **fields):
        return Recipe.model_validate({"name": "told", "ingest": {"sources": [{"uri": wishes}]}} | fields)

    return make


@pytest.fixture
def ingest_that(recipe_that):
    """Makes the operator of that recipe's first step."""
    from airflow_side.flow import refresh_flow
    from airflow_side.operator import StageOperator

    def make(wishes, **fields):
        flow = refresh_flow(recipe_that(wishes, **fields))
        return StageOperator(flow=flow, step=flow.steps()[0])

    return make


@pytest.fixture
def run():
    """Executes an operator as Airflow would, as far as an operator without parents can tell."""

    def execute(operator, try_number=1, **params):
        ti = SimpleNamespace(
            dag_id=operator.flow.dag_id, run_id="run 1", task_id=operator.task_id, map_index=-1, try_number=try_number
        )
        return operator.execute({"params": params, "ti": ti, "outlet_events": {}})

    return execute


@pytest.fixture
def asked(monkeypatch):
    """What is put before a person."""
    found = {}
    monkeypatch.setattr("airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **kw: found.update(kw))
    return found
