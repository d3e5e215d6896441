"""What is in an image, and what is not: each holds its own code and packages, and runs as nobody in particular."""

import re

import pytest

from containers.conftest import ROOT, docker

STAGES = ("curate", "generate", "finetune")
# Modules that would mean that a wall has a hole: another image's code, or packages that do not belong in this one.
FOREIGN = {
    "curate": ("generate", "finetune", "airflow", "airflow_side", "torch", "transformers", "mlflow", "openai"),
    "generate": (
        "curate",
        "finetune",
        "airflow",
        "airflow_side",
        "torch",
        "transformers",
        "mlflow",
        "pandas",
        "datasets",
    ),
    "finetune": ("curate", "generate", "airflow_side", "openai"),
    "airflow": ("stagekit", "curate", "generate", "finetune", "torch", "transformers", "mlflow", "pyarrow"),
    "mlflow": ("contract", "stagekit", "curate", "generate", "finetune", "airflow", "torch"),
    "socket-proxy": ("contract", "stagekit", "curate", "generate", "finetune", "airflow", "requests", "docker"),
}
LOCKED = ("airflow", "curate", "finetune", "generate", "mlflow")
DOCKERFILES = sorted(ROOT.glob("images/*/Dockerfile"))


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_dockerfile_is_buildable_by_every_builder(path):
    text = path.read_text()
    assert text.count("ARG BASE_IMAGE=python:3.11-slim-bookworm\nFROM ${BASE_IMAGE}\n") == 1
    assert re.findall(r"^# *syntax|<<\w|--mount|--chmod|:latest|https?://", text, flags=re.MULTILINE) == []


@pytest.mark.needs_docker
@pytest.mark.parametrize("folder", STAGES)
def test_stages_run_as_nobody_in_particular(folder, image):
    hardened = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none", "--read-only"]
    helped = docker("run", "--rm", *hardened, image(folder), "--help")
    assert f"python -m {folder}" in helped


@pytest.mark.needs_docker
@pytest.mark.parametrize("folder", STAGES)
def test_user_can_write_the_result_but_not_the_code(folder, in_image):
    code = """
import os, json
can = {path: os.access(path, os.W_OK) for path in ("/airflow/xcom", os.getcwd(), "/tmp", "/opt/nocturne/shared")}
print(json.dumps([os.getuid(), can, os.environ["NOCTURNE_CODE_VERSION"]]))
"""
    user, can, version = in_image(folder, code)
    assert user == 10001
    assert list(can.values()) == [True, True, True, False]
    assert version


@pytest.mark.needs_docker
@pytest.mark.parametrize("folder", FOREIGN)
def test_walls_hold_inside_the_image(folder, in_image):
    code = f"import json, importlib.util as u; print(json.dumps([n for n in {FOREIGN[folder]} if u.find_spec(n)]))"
    assert in_image(folder, code) == []


@pytest.mark.needs_docker
@pytest.mark.parametrize("folder", LOCKED)
def test_image_holds_exactly_its_lock(folder, in_image):
    code = """
import json, re, importlib.metadata as m
named = {re.sub("[-_.]+", "-", d.metadata["Name"]).lower(): d.version.partition("+")[0] for d in m.distributions()}
print(json.dumps(named))
"""
    locks = [path.read_text() for path in (ROOT / "images" / folder).glob("*.lock")]
    pins = dict(line.split("==") for lock in locks for line in lock.splitlines() if not line.startswith("#"))
    installed = in_image(folder, code)
    assert {name: installed.get(name) for name in pins} == pins
    extra = installed.keys() - pins.keys() - {"pip", "setuptools", "wheel"}
    assert [name for name in extra if not name.startswith(("nvidia-", "cuda-", "triton"))] == []


@pytest.mark.needs_docker
def test_airflow_finds_its_dags_and_the_contract(in_image):
    code = """
import json, os, contract.stages
print(json.dumps([os.environ["AIRFLOW__CORE__DAGS_FOLDER"], sorted(os.listdir("/opt/nocturne/shared"))]))
"""
    assert in_image("airflow", code) == ["/opt/nocturne/dags", ["contract"]]


@pytest.mark.needs_docker
def test_no_container_compiles_a_kernel_again(in_image):
    code = """
import json, os, pathlib, curate.warm
folder = pathlib.Path(os.environ["NUMBA_CACHE_DIR"])
kernels = lambda: sorted(p.name for ending in ("nbc", "o") for p in folder.rglob(f"*.{ending}"))
before = kernels()
curate.warm.main()
sources = pathlib.Path(curate.__file__).parent.rglob("*.py")
print(json.dumps([before, kernels() == before, [p.name for p in sources if p.stat().st_mtime % 1]]))
"""
    before, same, not_kept_by_registries = in_image("curate", code)
    assert len([name for name in before if name.endswith(".nbc")]) > 10
    assert len([name for name in before if name.endswith(".o")]) > 5
    assert same
    assert not_kept_by_registries == []  # of a time only whole seconds, and code is found by its sources' times
