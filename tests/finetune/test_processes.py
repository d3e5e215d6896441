"""Two processes on CPUs (gloo) against one: the same loss at each step, whole copies and split weights alike.

Each training starts two processes that import the slow libraries, so few are started and much is asked of each.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file

from every_field import run
from published import publish, real_samples
from stagekit.dataset import open_dataset
from stagekit.store import resolve

pytestmark = pytest.mark.slow

ALONE = {
    "method": "full",
    "optimizer": "adamw_torch",
    "learning_rate": 0.01,
    "warmup_steps": 2,
    "max_length": 128,
    "epochs": 2,
    "batch_size": 2,
    "accumulation": 4,
    "cpu_threads": 1,
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> str:
    """36 rows to learn: in batches of two, four to an update, the last update of an epoch is a shorter one."""
    return publish(tmp_path_factory.mktemp("samples") / "published", real_samples(40, 4))


@pytest.fixture(scope="module", autouse=True)
def untracked():
    """Without a tracking server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


def train_config(**settings):
    return {"training": ALONE | settings, "eval_every": 2, "save_every": 2}


def trained(folder: Path, samples: str, **settings):
    """The dataset of one training, with its plan, in this process and those that it starts."""
    training = ALONE | settings
    plan = run("plan", {"training": training, "max_truncated": 1.0}, [f"samples={samples}"], folder / "plan")
    assert plan.uri, plan.lines
    seen = run("train", train_config(**settings), [f"samples={samples}", f"plan={plan.uri}"], folder / "train")
    assert seen.uri, seen.lines
    return open_dataset(resolve(seen.uri))


@pytest.fixture(scope="module")
def alone(samples, tmp_path_factory):
    return trained(tmp_path_factory.mktemp("alone"), samples)


def series(dataset, name):
    history = json.loads(dataset.file("history.json").read_text())
    return [entry[name] for entry in history if name in entry]


@pytest.fixture(scope="module")
def split(samples, tmp_path_factory):
    """Two processes, each with half of all weights."""
    return trained(tmp_path_factory.mktemp("split"), samples, processes=2, sharding="fsdp")


@pytest.mark.parametrize("sharding", ["none", "fsdp"])
def test_two_processes_learn_what_one_learns(sharding, alone, samples, tmp_path, request):
    both = request.getfixturevalue("split") if sharding == "fsdp" else trained(tmp_path, samples, processes=2)
    for name, within in (("loss", 1e-5), ("eval_loss", 1e-5), ("grad_norm", 1e-4), ("num_tokens", 0)):
        assert series(both, name) == pytest.approx(series(alone, name), abs=within), name
    assert len(series(both, "loss")) == both.manifest.metrics["steps"] > 8
    wanted, found = (load_file(dataset.folder("model") / "model.safetensors") for dataset in (alone, both))
    assert {name: tensor.shape for name, tensor in found.items()} == {n: t.shape for n, t in wanted.items()}
    assert max((wanted[name] - found[name]).abs().max() for name in wanted) < 1e-3
    assert both.manifest.metrics["parameters"] == alone.manifest.metrics["parameters"]


SURE = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
SPLIT = train_config(processes=2, sharding="fsdp")


class Stage:
    """`train` as a process of its own, whose log is read while it runs."""

    def __init__(self, dataset, samples: str, output: Path) -> None:
        self.plan = next(parent.uri for parent in dataset.manifest.parents if parent.input == "plan")
        inputs = ["--input", f"samples={samples}", "--input", f"plan={self.plan}"]
        command = [
            sys.executable,
            "-m",
            "finetune",
            "train",
            "--config",
            json.dumps(SPLIT),
            *inputs,
            "--output",
            f"{output}/",
        ]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=SURE)
        self.log: list[str] = []

    def wait_for(self, words: str) -> list[psutil.Process]:
        """Read the log up to a line with these words; what runs below the stage then."""
        for line in self.process.stderr:
            self.log.append(line)
            if words in line:
                return psutil.Process(self.process.pid).children(recursive=True)
        raise AssertionError("".join(self.log[-40:]))

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=240)
        return self.process.returncode, "".join(self.log) + err, out


def test_whoever_is_killed_nobody_is_left_and_a_retry_ends_in_the_same_bits(split, samples, tmp_path):
    first = Stage(split, samples, tmp_path)
    running = first.wait_for("checkpoint step=2")
    workers = [process for process in running if process.environ().get("RANK")]
    assert sorted(process.environ()["RANK"] for process in workers) == ["0", "1"]
    next(process for process in workers if process.environ()["RANK"] == "1").kill()
    code, log, out = first.end()
    assert (code, out) == (13, ""), log
    assert "process 1 of the training was killed by signal 9" in log
    assert psutil.wait_procs(running, timeout=5)[1] == []

    second = Stage(split, samples, tmp_path)
    running = second.wait_for("resumed step=")
    second.process.terminate()
    code, log, _ = second.end()
    assert code == 128 + signal.SIGTERM, log
    assert psutil.wait_procs(running, timeout=5)[1] == []

    third = run("train", SPLIT, [f"samples={samples}", f"plan={second.plan}"], tmp_path)
    assert third.content_hash == split.manifest.content_hash
    assert open_dataset(resolve(third.uri)).manifest.metrics == split.manifest.metrics
