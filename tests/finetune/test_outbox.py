"""A tracking server that goes away: training goes on, and the server is told the rest in order and only once."""

import json
import logging
import os
import re
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import mlflow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.failures import RemoteTrouble
from contract.uris import Address
from finetune.tracking import Run, open_run
from finetune.train import outbox
from finetune.train.outbox import Outbox
from finetune.trained import TRACKING
from killed_training import PACES, run_in_process
from mlflow_server import MlflowServer
from published import TRAIN
from stagekit.dataset import open_dataset
from stagekit.store import open_store, resolve

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


@pytest.mark.slow
def test_a_training_outlives_a_server_that_is_killed_for_a_minute(walked, server, tmp_path, monkeypatch):
    """A real server, SIGKILLed at the first checkpoint, and gone for a minute in which the training goes on."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    inputs = [f"{name}={uri}" for name, uri in walked.inputs("plan")]
    (pace,) = PACES
    with ThreadPoolExecutor(1) as beside:
        training = beside.submit(run_in_process, "train", TRAIN, inputs, tmp_path / "train", pace)
        await_file(tmp_path / "train", "complete.json")
        server.stop(signal.SIGKILL)
        time.sleep(60)
        assert not training.done(), "it ended before the server was back"
        waiting = len(list(tmp_path.rglob("outbox/*.json")))
        server.start()
        code, log = training.result()
    assert code == 0, log
    assert waiting >= 10, "steps, on disk"
    assert log.count("the tracking server is away: training goes on, and tells it later") == 1
    assert re.search(r"the tracking server is back and was told everything .*'calls': \d\d", log)
    (made,) = (tmp_path / "train").glob("*/manifest.json")
    trained = open_dataset(resolve(str(made.parent)))
    assert trained.manifest.content_hash == walked.results["train"]["content_hash"]
    check_run(mlflow.MlflowClient(server.uri), json.loads(trained.file(TRACKING).read_text())["run_id"], trained)


def check_run(client, run_id, trained):
    """Every figure of every step is there, once, in order; and all that is told at the end."""
    found, metrics = client.get_run(run_id), trained.manifest.metrics
    assert found.info.status == "FINISHED"
    for name in ("train_loss", "tokens", "grad_norm", "learning_rate", "memory_gb", "eval_loss"):
        points = client.get_metric_history(run_id, name)
        steps = [point.step for point in points]
        every = [*range(1, metrics["steps"] + 1)]
        assert steps == ([step for step in every if step % 12 == 0] if name == "eval_loss" else every), name
        assert [point.timestamp for point in points] == sorted(point.timestamp for point in points)
    assert {file.path for file in client.list_artifacts(run_id)} >= {"curves.svg", "history.json", "plan"}
    assert found.data.tags["nocturne.curves"] == metrics["curves"]


def await_file(folder, name):
    for _ in range(6_000):
        if any(path for scratch in folder.glob(".scratch/*") for path in scratch.rglob(name)):
            return
        time.sleep(0.05)
    raise AssertionError(f"no {name}")


def test_a_retry_needs_no_server_for_the_run_that_it_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    box = Outbox(Run("a" * 32, "1"), store_in(tmp_path), LOG)
    box.metrics({"train_loss": 1.0}, 3)
    assert box.waiting == 1
    assert Outbox(Run("a" * 32, "1"), store_in(tmp_path), LOG).waiting == 1
