"""The compose file, read by compose itself: it is valid, closed to the outside, and takes every secret from .env."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys

import pytest

from containers.conftest import ROOT, absent

STACK = ROOT / "images/stack.py"


def write_env(path):
    return subprocess.run([sys.executable, STACK, "env", path], capture_output=True, text=True, check=True).stdout


def read_env(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def env_file(tmp_path):
    write_env(tmp_path / "env")
    return tmp_path / "env"


@pytest.fixture
def config(env_file):
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        absent("no docker compose")

    def resolved(*files, env=env_file):
        arguments = [item for file in ("docker-compose.yaml", *files) for item in ("-f", file)]
        command = ["docker", "compose", "--env-file", str(env), *arguments, "config", "--format", "json"]
        clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr

    return resolved


def test_secrets_are_generated_once_and_for_the_owner_only(tmp_path):
    path = tmp_path / "env"
    assert "with new secrets" in write_env(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_text()
    assert "generated" not in re.sub(r"^#.*$", "", first, flags=re.MULTILINE)
    secrets = [value for name, value in read_env(path).items() if re.search(r"PASSWORD|SECRET|ACCESS_KEY|FERNET", name)]
    assert len(set(secrets)) == len(secrets) == 8
    assert min(map(len, secrets)) >= 32
    assert write_env(path) == ""
    assert path.read_text() == first


def test_every_variable_is_explained_with_its_default():
    compose = (ROOT / "docker-compose.yaml").read_text()
    example = dict(
        re.findall(r"^(?:# )?([A-Z][A-Z_0-9]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    )
    assert set(re.findall(r"\$\{(\w+)", compose)) == example.keys()
    for name, default in re.findall(r"\$\{(\w+):-([^}]*)\}", compose):
        assert example[name] == default, name


def test_nothing_listens_beyond_the_loopback_address(config):
    ports = [port for service in config()["services"].values() for port in service.get("ports", [])]
    assert sorted(int(port["published"]) for port in ports) == [5000, 8080, 9000, 9001]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_images_are_pinned_and_ours_are_never_pulled(config):
    for service in config()["services"].values():
        name, _, tag = service["image"].partition(":")
        assert tag, service["image"]
        assert tag != "latest"
        assert service.get("pull_policy") == ("never" if name.startswith("nocturne/") else None)


def test_without_settings_the_stack_says_what_to_run(config, tmp_path):
    (tmp_path / "empty").touch()
    assert "run make up" in config(env=tmp_path / "empty")


def test_only_the_proxy_has_the_socket_and_only_the_scheduler_reaches_it(config):
    services = config()["services"]
    with_socket = [name for name, service in services.items() if "docker.sock" in json.dumps(service.get("volumes"))]
    assert with_socket == ["socket-proxy"]
    reach = {name for name, service in services.items() if "engine" in service["networks"]}
    assert reach == {"socket-proxy", "airflow-scheduler"}
    assert list(services["socket-proxy"]["networks"]) == ["engine"]
    assert config()["networks"]["engine"]["internal"] is True


def test_stages_cannot_reach_the_databases(config):
    services = config()["services"]
    assert {name for name, service in services.items() if "tasks" in service["networks"]} == {"s3", "mlflow"}


def test_secrets_stay_with_who_needs_them(config, env_file):
    env_file.write_text(env_file.read_text().replace("OPENAI_API_KEY=", "OPENAI_API_KEY=sk-of-the-test"))
    services = config()["services"]
    values = read_env(env_file)

    def holders(name):
        return {service for service, found in services.items() if values[name] in json.dumps(found["environment"])}

    assert holders("OPENAI_API_KEY") == {"airflow-scheduler"}
    assert holders("AIRFLOW_ADMIN_PASSWORD") == {"airflow-init"}
    assert holders("MLFLOW_DB_PASSWORD") == {"postgres", "mlflow", "mlflow-init"}
    assert holders("S3_SECRET_KEY") == {"s3", "s3-init", "mlflow", "airflow-api-server", "airflow-scheduler"}


def test_the_gpu_file_changes_one_setting(config):
    plain, gpu = config(), config("compose.gpu.yaml")
    assert plain["services"]["airflow-scheduler"]["environment"]["NOCTURNE_GPU"] == "0"
    gpu["services"]["airflow-scheduler"]["environment"]["NOCTURNE_GPU"] = "0"
    assert gpu == plain


def test_every_long_running_service_but_the_store_is_checked(config):
    unchecked = {name for name, service in config()["services"].items() if "healthcheck" not in service}
    assert unchecked == {"s3", "s3-init", "airflow-init", "mlflow-init"}


@pytest.fixture
def serving(env_file, config):
    """The services that only the profile `serve` brings."""
    env_file.write_text(env_file.read_text() + "\nCOMPOSE_PROFILES=serve\n")
    whole = config()["services"]
    env_file.write_text(env_file.read_text().replace("COMPOSE_PROFILES=serve", ""))
    return {name: service for name, service in whole.items() if name not in config()["services"]}


def test_whatever_is_ours_is_without_capabilities(config):
    for name, service in config()["services"].items():
        if service["image"].startswith("nocturne/"):
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name


def test_serving_comes_by_its_profile_alone(serving):
    assert set(serving) == {"serve", "serve-fetch", "serve-check"}
    assert {name for name, service in serving.items() if "devices" in json.dumps(service.get("deploy"))} == {"serve"}
    (port,) = (port for service in serving.values() for port in service.get("ports", []))
    assert (port["host_ip"], port["published"]) == ("127.0.0.1", "8000")
    for service in serving.values():
        assert service.get("pull_policy") == ("never" if service["image"].startswith("nocturne/") else None)
        assert service["image"].partition(":")[2] not in ("", "latest")


def test_the_server_is_started_on_what_was_fetched_and_checked_against_it(serving):
    fetched, server, check = (serving[name] for name in ("serve-fetch", "serve", "serve-check"))
    (kept,) = fetched["volumes"]
    assert kept["target"] == fetched["command"][fetched["command"].index("--into") + 1]
    assert server["environment"]["SERVE_BASE"] == check["command"][1] == f"{kept['target']}/current"
    assert [volume["source"] for volume in server["volumes"] if volume["target"] == kept["target"]] == [kept["source"]]
    assert "--served-model-name champion" in " ".join(server["entrypoint"])
    assert server["depends_on"]["serve-fetch"]["condition"] == "service_completed_successfully"
    assert check["depends_on"]["serve"]["condition"] == "service_healthy"
    assert not {"NOCTURNE_S3_SECRET_KEY", "S3_SECRET_KEY"} & set(server["environment"])
