"""A tracking server that goes away: training goes on, and the server is told the rest in order and only once."""

import json
import logging
import os
import signal
import subprocess
import threading
import time

import mlflow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from contract.failures import RemoteTrouble
from contract.uris import Address
from finetune.tracking import Run, open_run
from finetune.train import outbox
from finetune.train.outbox import Outbox
from mlflow_server import MlflowServer
from published import TRAIN
from stagekit.store import open_store

LOG = logging.getLogger("test")


def store_in(folder):
    return open_store(Address("file", "", str(folder)))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of this module's own, since it is killed here."""
    own = MlflowServer(tmp_path_factory.mktemp("own"))
    own.start()
    yield own
    own.stop()


class Heard:
    """What a server heard, in order; it is away while `away`. Stands for `Run` where outages come by the hundred."""

    def __init__(self):
        self.calls, self.away = [], False

    def __getattr__(self, method):
        def tell(**arguments):
            if self.away:
                raise RemoteTrouble("away")
            self.calls.append((method, arguments.get("step", arguments.get("status"))))

        return tell

    def ping(self):
        if self.away:
            raise RemoteTrouble("away")

    def forget(self):
        pass

    def revive(self):
        pass


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_whatever_the_outages_and_kills_all_is_told_in_order(tmp_path_factory, moments):
    store, heard = store_in(tmp_path_factory.mktemp("scratch")), Heard()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "ping", heard.ping)
        patch.setattr(outbox, "ASK_SECONDS", 0)
        box = Outbox(heard, store, LOG)
        for step, (away, killed) in enumerate(moments):
            heard.away = away
            box.metrics({"train_loss": 1.0}, step)
            if killed:  # what is left is on disk alone
                box = Outbox(heard, store, LOG)
        heard.away = False
        box.finish("FINISHED")
    assert heard.calls == [*(("metrics", step) for step in range(len(moments))), ("finish", "FINISHED")]
    assert not list(store.list())


def test_a_finished_training_waits_and_then_asks_for_a_retry_but_a_failed_one_does_not(tmp_path, monkeypatch, caplog):
    heard = Heard()
    monkeypatch.setattr(outbox, "ping", heard.ping)
    monkeypatch.setattr(outbox, "LAST_WAIT_SECONDS", 0)
    heard.away = True
    box = Outbox(heard, store_in(tmp_path), LOG)
    box.metrics({"train_loss": 1.0}, 1)
    with pytest.raises(RemoteTrouble, match="2 calls did not reach the tracking server"):
        box.finish("FINISHED")
    box.finish("FAILED")
    assert "left untold" in caplog.text
    assert caplog.text.count("the tracking server is away") == 1, "said once for each outage"


def test_a_server_that_refuses_is_not_taken_for_one_that_is_away(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    mlflow.set_tracking_uri(server.uri)
    run = open_run("refusing", "one", None)
    box = Outbox(run, store_in(tmp_path), LOG)
    box.params({"epochs": 1})
    with pytest.raises(RemoteTrouble, match="log parameters"):
        box.params({"epochs": 2})
    assert box.waiting == 0


def test_a_training_outlives_its_server_and_tells_every_step_once(walked, server, tmp_path):
    """The server is killed at the first checkpoint, and is away until steps are waiting on disk."""
    env = os.environ | walked.env | {"MLFLOW_TRACKING_URI": server.uri}
    env |= {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/finetune"}
    command = [str(ROOT / ".venv/finetune/bin/python"), "-m", "finetune", "train", "--config", json.dumps(TRAIN)]
    for name, uri in walked.inputs("plan"):
        command += ["--input", f"{name}={uri}"]
    training = subprocess.Popen(
        [*command, "--output", f"{tmp_path}/"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(training.stderr))
    reader.start()
    await_file(tmp_path, "complete.json", 1)
    server.stop(signal.SIGKILL)
    await_file(tmp_path, "0*.json", 3)
    server.start()
    out = training.stdout.read()
    reader.join()
    assert training.wait() == 0, "".join(said)
    log, result = "".join(said), json.loads(out.splitlines()[-1])
    assert "the tracking server is away" in log
    assert "is back and was told everything" in log
    assert result["content_hash"] == walked.results["train"]["content_hash"]
    run_id, client = result["links"]["mlflow_run"].rpartition("/")[2], mlflow.MlflowClient(server.uri)
    assert client.get_run(run_id).info.status == "FINISHED"
    for name in ("train_loss", "eval_loss", "tokens", "grad_norm", "memory_gb"):
        points = client.get_metric_history(run_id, name)
        steps = [point.step for point in points]
        assert steps == sorted(set(steps)), name
        assert name == "eval_loss" or steps == [*range(1, result["metrics"]["steps"] + 1)]
        assert [point.timestamp for point in points] == sorted(point.timestamp for point in points)
    assert {file.path for file in client.list_artifacts(run_id)} >= {"curves.svg", "history.json", "plan"}
    assert client.get_run(run_id).data.tags["nocturne.curves"] == result["metrics"]["curves"]


def await_file(folder, pattern, number):
    for _ in range(2_400):
        found = [path for scratch in folder.glob(".scratch/*") for path in scratch.rglob(pattern)]
        if len(found) >= number:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {number} of {pattern}")


def test_a_retry_needs_no_server_for_the_run_that_it_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    box = Outbox(Run("a" * 32, "1"), store_in(tmp_path), LOG)
    box.metrics({"train_loss": 1.0}, 3)
    assert box.waiting == 1
    assert Outbox(Run("a" * 32, "1"), store_in(tmp_path), LOG).waiting == 1
