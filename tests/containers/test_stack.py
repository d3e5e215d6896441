"""The whole stack, started as a user starts it: every service healthy, nothing open that should be closed."""

import os
import re
import subprocess
import time
from urllib.parse import quote

import pytest

from browser import chromium, signed_in
from compose_stack import PATIENCE, started
from containers.conftest import ROOT, absent, docker
from served_as_evaluated import differences, evaluated_with, serving

pytestmark = [pytest.mark.needs_docker, pytest.mark.slow]
HEARD_AFTER = 5  # seconds in which a busy scheduler hears that the question was put; an earlier answer is lost
WHAT_IS_THERE = """
import json, mlflow, os
from minio import Minio
store = Minio("s3:9000", os.environ["KEY"], os.environ["SECRET"], secure=False)
objects = [one.object_name for one in store.list_objects("nocturne", prefix="demo/", recursive=True)]
(version,) = [name for name in objects if name.startswith("demo/publish/") and name.endswith("/manifest.json")]
assert store.get_object_tags("nocturne", version) == {"recipe": "demo", "version": "1"}
print(json.dumps([objects, [model.name for model in mlflow.MlflowClient().search_registered_models()]]))
"""
WHAT_WAS_EVALUATED = """
import json, os
from minio import Minio
store = Minio("s3:9000", os.environ["KEY"], os.environ["SECRET"], secure=False)
names = [one.object_name for stage in ("register", "evaluate")
         for one in store.list_objects("nocturne", prefix=f"demo/{stage}/", recursive=True)]
wanted = [name for name in names if name.endswith(("/manifest.json", "/comparison.json"))]
print(json.dumps({name: store.get_object("nocturne", name).data.decode() for name in wanted}))
"""


@pytest.fixture(scope="module")
def stack(image, tmp_path_factory):
    for folder in ("airflow", "mlflow", "socket-proxy", "finetune"):
        image(folder)
    for name in ("POSTGRES_IMAGE", "S3_IMAGE"):
        if name not in os.environ and not docker("image", "ls", "-q", "pgsty/silo", check=False):
            absent(f"no {name} set and none pulled (tests/containers/make_standins.sh makes stand-ins)")
    with started(tmp_path_factory.mktemp("stack")) as running:
        yield running


def test_every_service_is_healthy_and_its_address_is_said(stack):
    assert "11 services ready" in stack.said
    for name in ("AIRFLOW_PORT", "MLFLOW_PORT", "S3_PORT"):
        assert f"http://localhost:{stack.settings[name]}" in stack.said
    assert stack.settings["AIRFLOW_ADMIN_PASSWORD"] not in stack.said


def test_only_the_generated_password_opens_airflow(stack):
    assert stack.airflow("/api/v2/pools")[0] == 401
    assert stack.log_in("admin")[0] == 401
    pools = stack.airflow("/api/v2/pools", token=stack.token())[1]["pools"]
    assert {pool["name"]: pool["slots"] for pool in pools}["gpu"] == 1


def test_dags_are_there_paused_and_without_import_errors(stack):
    token = stack.token()
    deadline = time.monotonic() + PATIENCE
    while len(dags := stack.airflow("/api/v2/dags", token=token)[1]["dags"]) < 4 and time.monotonic() < deadline:
        time.sleep(1)
    assert stack.airflow("/api/v2/importErrors", token=token)[1]["import_errors"] == []
    assert {dag["dag_id"] for dag in dags} == {"refresh_demo", "finetune_demo", "refresh_llm_twin", "finetune_llm_twin"}
    assert all(dag["is_paused"] for dag in dags)


def test_ports_are_bound_to_the_loopback_address(stack):
    bound = [
        binding["HostIp"]
        for service in stack.services().values()
        for bindings in service["NetworkSettings"]["Ports"].values()
        for binding in bindings or []
    ]
    assert bound == ["127.0.0.1"] * 4


def test_a_stage_reaches_mlflow_and_the_store_but_no_database(stack, image):
    code = """
import json, mlflow, socket
from minio import Minio
import os
with mlflow.start_run() as run:
    mlflow.log_metric("loss", 0.5)
    mlflow.log_text("kept", "notes/why.txt")
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/why.txt") == "kept"
store = Minio("s3:9000", os.environ["KEY"], os.environ["SECRET"], secure=False)
names = [bucket.name for bucket in store.list_buckets()]
found = {name: [one.object_name for one in store.list_objects(name, recursive=True)] for name in names}
def resolves(name):
    try:
        return bool(socket.gethostbyname(name))
    except OSError:
        return False
print(json.dumps([found, [name for name in ("postgres", "socket-proxy", "airflow-scheduler") if resolves(name)]]))
"""
    buckets, reached = stack.in_stage(image("finetune"), code)
    assert set(buckets) == {"mlflow", "nocturne"}
    assert [name.endswith("/artifacts/notes/why.txt") for name in buckets["mlflow"]] == [True]
    assert reached == []


@pytest.mark.timeout(1800)
def test_the_demo_goes_from_articles_to_a_registered_model(stack, image):
    """A run by hand of the one DAG; the asset of its dataset starts the other."""
    token = stack.token()
    for dag in ("finetune_demo", "refresh_demo"):
        assert stack.airflow(f"/api/v2/dags/{dag}", {"is_paused": False}, token, "PATCH")[0] == 200
    assert stack.airflow("/api/v2/dags/refresh_demo/dagRuns", {"logical_date": None}, token)[0] in (200, 201)
    for dag in ("refresh_demo", "finetune_demo"):
        run = stack.wait_for(dag, token)
        assert run[0] == "success", run
        assert set(run[1].values()) <= {"success", "skipped"}
        # Its gate decides which model is champion, so nobody is asked.
        assert {task for task, state in run[1].items() if state == "skipped"} == (
            {"approve", "promote"} if dag == "finetune_demo" else set()
        )
    assert stack.stage_containers() == []
    objects, models = stack.in_stage(image("finetune"), WHAT_IS_THERE)
    assert [key for key in objects if re.fullmatch(r"demo/publish/\w+/manifest\.json", key)]
    assert models == ["demo"]


@pytest.mark.timeout(1800)
def test_the_champion_that_is_served_says_what_was_evaluated(stack, image, tmp_path):
    """Fetched from the stack's registry and served on this machine, as `make serve` does."""
    if not (ROOT / ".venv" / "finetune").exists():
        absent("no environment with torch (make venvs)")
    for name, text in stack.in_stage(image("finetune"), WHAT_WAS_EVALUATED).items():
        (tmp_path / "store" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "store" / name).write_text(text)
    with serving(tmp_path, f"http://127.0.0.1:{stack.settings['MLFLOW_PORT']}") as url:
        wanted = evaluated_with(tmp_path)
        assert len(wanted.answers) == 2
        assert differences(url, wanted) == []


@pytest.mark.timeout(1800)
def test_a_person_approves_the_champion_by_a_click(stack, image):
    """The same run with a person to decide: all but `register` is there already."""
    if not chromium():
        absent("no Chromium on the path")
    token = stack.token()
    form = {"logical_date": None, "conf": {"dataset": "latest", "register.champion": "approval"}}
    run = stack.airflow("/api/v2/dags/finetune_demo/dagRuns", form, token)[1]["dag_run_id"]
    deadline = time.monotonic() + PATIENCE
    while stack.last_run("finetune_demo", token)[1].get("approve") != "awaiting_input":
        assert time.monotonic() < deadline
        time.sleep(1)
    time.sleep(HEARD_AFTER)
    address = f"http://localhost:{stack.settings['AIRFLOW_PORT']}"
    with signed_in(address, stack.settings["AIRFLOW_ADMIN_PASSWORD"]) as page:
        page.goto(f"{address}/dags/finetune_demo/runs/{quote(run)}/tasks/approve/required_actions")
        page.get_by_role("button", name="Approve", exact=True).click()
        page.get_by_text("admin").first.wait_for()
    ended = stack.wait_for("finetune_demo", token)
    assert (ended[0], ended[1]["approve"], ended[1]["promote"]) == ("success", "success", "success")
    code = """
import json, mlflow
version = mlflow.MlflowClient().get_model_version_by_alias("demo", "champion")
print(json.dumps(version.tags["nocturne.approved_by"]))
"""
    assert "admin" in stack.in_stage(image("finetune"), code).lower()


@pytest.mark.timeout(1800)
def test_a_person_starts_a_run_by_filling_in_the_form(stack):
    if not chromium():
        absent("no Chromium on the path")
    token = stack.token()
    assert stack.airflow("/api/v2/dags/finetune_demo", {"is_paused": True}, token, "PATCH")[0] == 200
    address = f"http://localhost:{stack.settings['AIRFLOW_PORT']}"  # as `make up` says it: cookies know no other name
    with signed_in(address, stack.settings["AIRFLOW_ADMIN_PASSWORD"]) as page:
        page.goto(f"{address}/dags/refresh_demo")
        page.get_by_role("button", name="Trigger").first.click()
        form = page.get_by_role("dialog")
        form.locator("input[name='element_chunk.maximum']").fill("1000")
        form.locator("input[name='element_chunk.maximum']").blur()
        form.get_by_role("button", name="Trigger", exact=True).click()
        form.wait_for(state="hidden")
    run = stack.wait_for("refresh_demo", token)
    assert (run[0], set(run[1].values())) == ("success", {"success"})
    newest = "/api/v2/dags/refresh_demo/dagRuns?order_by=-run_after&limit=1"
    (said,) = stack.airflow(newest, token=token)[1]["dag_runs"]
    assert said["run_type"] == "manual"
    assert said["conf"]["chunk.maximum"] == 1000


@pytest.mark.timeout(1800)
def test_marked_cleared_and_orphaned_tasks_neither_overlap_nor_leave_a_container(stack):
    """A long training: marked failed, it ends; cleared, it runs once; its scheduler killed, the next try takes over."""
    token = stack.token()
    assert stack.airflow("/api/v2/dags/finetune_demo", {"is_paused": False}, token, "PATCH")[0] == 200
    form = {"logical_date": None, "conf": {"dataset": "latest", "training.epochs": 500}}
    started = stack.airflow("/api/v2/dags/finetune_demo/dagRuns", form, token)[1]["dag_run_id"]
    run = f"/api/v2/dags/finetune_demo/dagRuns/{started}"
    training = ("--filter", "label=nocturne.task_id=train")

    def until(condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert len(found := stack.stage_containers(*training)) <= 1, found
            assert time.monotonic() < deadline
            time.sleep(0.5)

    until(lambda: stack.stage_containers(*training))
    assert stack.airflow(f"{run}/taskInstances/train", {"new_state": "failed"}, token, "PATCH")[0] == 200
    until(lambda: not stack.stage_containers(*training))
    body = {"dag_run_id": started, "task_ids": ["train"], "dry_run": False, "only_failed": False}
    assert stack.airflow("/api/v2/dags/finetune_demo/clearTaskInstances", body, token)[0] == 200
    until(lambda: stack.stage_containers(*training))
    (left,) = stack.stage_containers(*training)
    docker("kill", "--signal", "KILL", stack.services()["airflow-scheduler"]["Id"])
    assert stack.stage_containers(*training) == [left]
    docker("start", stack.services()["airflow-scheduler"]["Id"])
    until(lambda: "taking over container" in stack.log_of("train"))
    assert stack.stage_containers(*training) == [left]
    assert stack.airflow(run, {"state": "failed"}, token, "PATCH")[0] == 200
    until(lambda: not stack.stage_containers(*training))


def test_no_secret_is_in_any_log(stack):
    secret = {name: value for name, value in stack.settings.items() if re.search(r"PASSWORD|SECRET|FERNET", name)}
    assert len(secret) == 7
    for service, container in stack.services().items():
        done = subprocess.run(["docker", "logs", container["Id"]], capture_output=True, text=True, check=True)
        assert [name for name, value in secret.items() if value in done.stdout + done.stderr] == [], service
    logs = docker(
        "exec", stack.services()["airflow-scheduler"]["Id"], "sh", "-c", "cat $(find /opt/airflow/logs -type f)"
    )
    assert "StageOperator" in logs
    assert [name for name, value in secret.items() if value in logs] == []


def test_no_secret_is_in_the_database_or_on_a_page(stack):
    """XComs, rendered commands, run settings and DAGs are all rows of Airflow's database."""
    secret = {name: value for name, value in stack.settings.items() if re.search(r"PASSWORD|SECRET|FERNET", name)}
    postgres = stack.services()["postgres"]["Id"]
    password = f"PGPASSWORD={stack.settings['POSTGRES_PASSWORD']}"
    everything = ("pg_dump", "--host", "127.0.0.1", "--username", "airflow", "--data-only", "--inserts", "airflow")
    rows = docker("exec", "--env", password, postgres, *everything)
    assert "/demo/publish/" in rows
    assert [name for name, value in secret.items() if value in rows] == []
    uri = re.search(r"s3://nocturne/(demo/publish/\w+)", rows)
    page = stack.page(f"/nocturne/{uri.group(1)}")
    assert "The way of the rows" in page
    ran = stack.airflow("/api/v2/dags/refresh_demo/dagRuns?state=success&limit=1", token=stack.token())[1]["dag_runs"]
    spent = stack.page(f"/nocturne/_run?dag_id=refresh_demo&run_id={quote(ran[0]['dag_run_id'])}")
    assert spent.index(">ingest</a>") < spent.index(">instruct</a>") < spent.index(">publish</a>")
    assert [name for name, value in secret.items() if value in page + spent] == []


def test_runs_and_settings_survive_a_restart(stack):
    token = stack.token()
    pool = {"name": "kept", "slots": 3, "description": "", "include_deferred": False}
    assert stack.airflow("/api/v2/pools", pool, token)[0] == 201
    stack.make("down")
    assert stack.services() == {}
    stack.make("up")
    token = stack.token()
    assert "kept" in {one["name"] for one in stack.airflow("/api/v2/pools", token=token)[1]["pools"]}
