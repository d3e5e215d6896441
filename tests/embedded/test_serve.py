"""What `make serve` runs, and what it says where there is nothing to serve."""

import os
import subprocess
import sys

import pytest

from embedded import serve
from embedded.console import Console
from embedded.services import ServiceFailed
from embedded.settings import ROOT, Home


@pytest.fixture
def ran(monkeypatch):
    """Commands that would have been run, with the registry that they were told of."""
    found = []
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr(serve, "become", lambda command, env: found.append((command[3:], env.get(serve.TRACKING))))
    monkeypatch.setattr(
        os, "spawnve", lambda mode, path, command, env: found.append((command[3:], env[serve.TRACKING]))
    )
    return found


def test_without_a_registry_it_says_what_to_run_first(tmp_path, ran):
    with pytest.raises(ServiceFailed, match="run make demo first, or set MLFLOW_TRACKING_URI"):
        serve.serve(Home(tmp_path), "champion", 8000, Console())
    assert ran == []


def test_a_registry_that_is_named_is_asked(tmp_path, ran, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow")
    home = Home(tmp_path)
    serve.serve(home, "demo@champion", 8001, Console())
    kept = str(serve.served(home))
    fetched, served = (command for command, _ in ran)
    assert fetched == ["--model", "demo@champion", "--into", kept, "--fetch"]
    assert served == ["--model", f"{kept}/current", "--name", "demo@champion", "--port", "8001"]
    assert {told for _, told in ran} == {"http://mlflow"}


def test_a_fetch_that_fails_is_the_end(tmp_path, ran, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow")
    monkeypatch.setattr(os, "spawnve", lambda *_: 11)
    with pytest.raises(ServiceFailed, match=r"'other' cannot be fetched \(exit code 11\)"):
        serve.serve(Home(tmp_path), "other", 8001, Console())
    assert ran == []


def test_the_command_exists():
    env = serve.environment_of(os.environ)
    program = serve.python()
    if not os.path.exists(program[0]):
        pytest.skip("no environment with torch (make venvs)")
    done = subprocess.run([*program, "--help"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for option in ("--model", "--into", "--fetch", "--name", "--port", "--check"):
        assert option in done.stdout
    assert str(ROOT / "images" / "finetune") in env["PYTHONPATH"]
    assert sys.executable != program[0]
