"""The locks: exact versions only, and a check that notices when they fall behind."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LOCKS = [
    path.relative_to(ROOT) for path in [*ROOT.glob("images/*/requirements.lock"), ROOT / "tests/requirements.lock"]
]


def check(root):
    return subprocess.run(
        [sys.executable, root / "images/lock.py", "--check"], capture_output=True, text=True, timeout=10, check=False
    )


@pytest.fixture
def copy(tmp_path):
    for lock in LOCKS:
        (tmp_path / lock).parent.mkdir(parents=True)
        for name in (lock, lock.with_name("pyproject.toml"), Path("images/lock.py")):
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_committed_locks_are_current():
    assert len(LOCKS) == 7
    done = check(ROOT)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("lock", LOCKS, ids=str)
def test_a_lock_holds_exact_versions_and_nothing_else(lock):
    pins = [line for line in (ROOT / lock).read_text().splitlines() if not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.!]+", pin)] == []
    names = [pin.partition("==")[0] for pin in pins]
    assert names == sorted(set(names))
    assert not [name for name in names if name.startswith(("nvidia-", "triton"))]


def test_a_changed_dependency_makes_its_lock_stale(copy):
    project = copy / "images/generate/pyproject.toml"
    project.write_text(project.read_text().replace('"orjson>=3.11"', '"orjson>=3.12"'))
    done = check(copy)
    assert done.returncode == 1
    assert done.stderr == (
        "images/generate/requirements.lock is older than the dependencies in generate/pyproject.toml: run `make lock`\n"
    )


def test_tests_and_an_image_must_agree_on_a_version(copy):
    lock = copy / "images/airflow/requirements.lock"
    lock.write_text(re.sub(r"^packaging==.*$", "packaging==1.0", lock.read_text(), flags=re.MULTILINE))
    assert "airflow pins packaging==1.0 but tests pins packaging==" in check(copy).stderr


def test_a_missing_lock_is_named(copy):
    (copy / "images/mlflow/requirements.lock").unlink()
    assert check(copy).stderr == "images/mlflow/requirements.lock is missing: run `make lock`\n"
