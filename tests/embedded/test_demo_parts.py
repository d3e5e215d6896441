"""The parts of the demo that need no Airflow: articles, settings, failures in words, tables."""

import json
import os
import socket
import stat
import time
from importlib.metadata import PathDistribution

import pytest

from contract.manifest import Account
from embedded import summary, venvs, watch
from embedded.airflow_api import AirflowAnswer, obstacles
from embedded.corpus import article, write_articles
from embedded.settings import LOOPBACK, Home, NoPort, Ports, airflow_environment, choose_ports, write_private


@pytest.fixture
def project(tmp_path):
    """A project with one environment and three distributions, of which two are locked and one describes itself."""
    metadata = {
        "zeta": "Metadata-Version: 2.4\nName: Zeta_Pkg\nVersion: 2.0+cpu\nAuthor-email: Ada <ada@example.org>\n"
        "License-Expression: MIT\nProject-URL: Issues, https://x/issues\nProject-URL: Homepage, https://x\n\n"
        "Words ünï.\n",
        "silent": "Metadata-Version: 2.1\nName: silent\nVersion: 1\n\nUNKNOWN\n",
        "stranger": "Metadata-Version: 2.1\nName: stranger\nVersion: 1\n\nNot locked.\n",
    }
    for image in ("airflow", "curate", "generate", "finetune", "mlflow"):
        lock = tmp_path / "images" / image / "requirements.lock"
        lock.parent.mkdir(parents=True)
        lock.write_text("# head\nzeta-pkg==2.0\nsilent==1\n" if image == "curate" else "")
    for name, text in metadata.items():
        folder = tmp_path / ".venv/curate/lib/python3.11/site-packages" / f"{name}-1.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(text)
    return tmp_path


def test_articles_are_what_locked_distributions_say_of_themselves(project):
    target = project / "store" / "articles.jsonl"
    assert write_articles(project, target) == (1, True)
    assert json.loads(target.read_text()) == {
        "id": "zeta-pkg",
        "name": "Zeta_Pkg",
        "version": "2.0",
        "summary": None,
        "text": "Words ünï.",
        "url": "https://x",
        "license": "MIT",
        "author": "Ada",
    }
    before = target.stat().st_mtime_ns
    assert write_articles(project, target) == (1, False)
    assert target.stat().st_mtime_ns == before


def test_a_licence_text_is_not_a_licence_name(tmp_path):
    (tmp_path / "METADATA").write_text(f"Name: a\nVersion: 1\nLicense: {'Permission is hereby ' * 9}\n\nText\n")
    assert next(article("a", PathDistribution(tmp_path)))["license"] is None


def test_secrets_are_readable_by_their_owner_only(tmp_path):
    home = Home(tmp_path / "home")
    assert home.secret("jwt") == home.secret("jwt") != home.secret("api_key")
    write_private(home.password_file, "{}")
    for path in (home.path / "secrets" / "jwt", home.password_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_taken_port_gives_way_to_the_next_free_one(monkeypatch):
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("AIRFLOW_PORT", str(port))
        monkeypatch.setenv("MLFLOW_PORT", str(port))
        ports = choose_ports()
    assert port < ports.airflow < ports.mlflow


@pytest.mark.parametrize("wanted", ["eighty", "-1", "65536", "8080.5"])
def test_a_port_that_is_none_is_named(wanted, monkeypatch):
    monkeypatch.setenv("MLFLOW_PORT", wanted)
    with pytest.raises(NoPort, match=f"MLFLOW_PORT is '{wanted}'"):
        choose_ports()


def test_services_are_told_loopback_addresses_only(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "99")
    monkeypatch.setenv("NOCTURNE_IMAGE_TAG", "kept")
    environment = airflow_environment(Home(tmp_path), Ports(1, 2), "docker")
    assert environment["AIRFLOW__API__HOST"] == LOOPBACK
    assert environment["AIRFLOW__CORE__PARALLELISM"] == "2"
    assert environment["NOCTURNE_IMAGE_TAG"] == "kept"
    assert environment["NOCTURNE_RUNNER"] == "docker"
    assert not [name for name, value in environment.items() if value == "0.0.0.0" and name not in os.environ]


LOG = [
    {"level": "info", "event": "run"},
    {"level": "error", "event": "first trouble"},
    {
        "level": "error",
        "event": "Task failed with exception",
        "error_detail": [
            {"exc_value": "the bucket is not there\nLast lines:\n...", "is_cause": False},
            {"exc_value": "urllib3 said no", "is_cause": True},
        ],
    },
    {"level": "info", "event": "end"},
]


def test_a_failed_task_speaks_for_itself(tmp_path):
    log = tmp_path / "attempt=1.log"
    assert watch.last_error(log) == "it wrote no log"
    log.write_text("not json\n" + "".join(json.dumps(line) + "\n" for line in LOG))
    assert watch.last_error(log) == "the bucket is not there"


def test_a_skipped_task_says_why(tmp_path):
    log = tmp_path / "attempt=1.log"
    assert watch.skip_reason(log) == ""
    lines = [{"event": "run"}, {"event": "Skipping task.", "reason": "nobody is asked"}, ["no object"]]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert watch.skip_reason(log) == "nobody is asked"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, ""),
        ({"uri": "x", "rows": 1200, "dropped": 0, "reused": True}, "reused, 1,200 rows"),
        ({"rows": 0, "dropped": 3, "reused": False}, "3 dropped"),
    ],
)
def test_what_a_stage_did_in_a_few_words(result, words):
    assert watch.outcome(result) == words


def test_the_funnel_is_a_table():
    lines = summary.table([("step", "rows in", "rows out", "not kept"), ("clean", "1,200", "7", "short 1,193")])
    assert lines == ["  step   rows in  rows out  not kept", "  " + "-" * 34, "  clean    1,200         7  short 1,193"]
    account = Account(total=6, kept=1, dropped={"short": 2}, failed={"timeout": 3})
    assert summary.by_rule(account) == {"short": 2, "timeout": 3}


def test_an_environment_is_made_again_only_for_another_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(venvs, "ROOT", tmp_path)
    for path in ("images/curate", "tests"):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "requirements.lock").write_text("a==1\n")
    plain, tested = venvs.stamp_text("curate", False), venvs.stamp_text("curate", True)
    assert tested.startswith(plain)
    (tmp_path / "tests" / "requirements.lock").write_text("a==1\nb==1\n")
    assert venvs.stamp_text("curate", False) == plain
    assert venvs.stamp_text("curate", True) != tested
    (tmp_path / "images/curate/requirements.lock").write_text("a==2\n")
    assert venvs.stamp_text("curate", False) != plain


def test_a_full_disk_is_told_before_anything_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(venvs, "VENVS", tmp_path / ".venv")
    monkeypatch.setattr(venvs, "NEEDED_GB", 1e6)
    monkeypatch.setattr(venvs, "make", lambda *_: pytest.fail("something was installed"))
    with pytest.raises(venvs.Trouble, match=r"GB are free at .*; setting up takes about 1000000 GB"):
        venvs.make_all(("curate", "generate"), False)


def test_setting_up_shows_that_it_is_alive(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(venvs, "VENVS", tmp_path / ".venv")
    monkeypatch.setattr(venvs, "SAY_EVERY", 0.05)
    monkeypatch.setattr(venvs, "make", lambda *_: time.sleep(0.2) or "1 s")
    venvs.make_all(("curate",), False)
    said = capsys.readouterr().out
    assert "pip is at curate" in said
    assert said.endswith(".venv/curate       1 s\n")


def test_an_old_python_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(venvs, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(venvs.Trouble, match=r"Nocturne needs 3\.11 or newer\. Try: "):
        venvs.check_machine()


def test_what_airflow_refuses_is_repeated():
    assert str(AirflowAnswer(403, "no")) == "Airflow answered 403: no"


def test_only_its_own_recipe_and_broken_files_keep_a_dag_from_being_read():
    trace = (
        "Traceback (most recent call last):\n  File ...\ncontract.failures.BadConfig: `pears` is no field; "
        "in /dags/recipes/llm_twin.yaml\n\n`name` is 'x'; in /dags/recipes/manuals.yaml\n"
    )
    listed = [{"filename": "broken_recipes.py", "stack_trace": trace}]
    assert obstacles("refresh_demo", listed) == []
    assert obstacles("finetune_llm_twin", listed) == ["`pears` is no field; in /dags/recipes/llm_twin.yaml"]
    assert obstacles("refresh_manuals", listed) == ["`name` is 'x'; in /dags/recipes/manuals.yaml"]
    assert obstacles("refresh_demo", [{"filename": "refresh.py", "stack_trace": "SyntaxError"}])
