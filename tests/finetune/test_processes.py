"""Two processes on CPUs (gloo) against one: the same loss at each step, whole copies and split weights (FSDP2, ZeRO-3).

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

from conftest import ROOT
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


def must_have_learned_the_same(alone, both):
    """Loss, gradients and tokens of each step, and the weights in the end."""
    for name, within in (("loss", 1e-5), ("eval_loss", 1e-5), ("grad_norm", 1e-4), ("num_tokens", 0)):
        assert series(both, name) == pytest.approx(series(alone, name), abs=within), name
    wanted, found = (load_file(dataset.folder("model") / "model.safetensors") for dataset in (alone, both))
    assert {name: tensor.shape for name, tensor in found.items()} == {n: t.shape for n, t in wanted.items()}
    assert max((wanted[name] - found[name]).abs().max() for name in wanted) < 1e-3


@pytest.fixture(scope="module")
def split(samples, tmp_path_factory):
    """Two processes, each with half of all weights."""
    return trained(tmp_path_factory.mktemp("split"), samples, processes=2, sharding="fsdp")


@pytest.mark.parametrize("sharding", ["none", "fsdp"])
def test_two_processes_learn_what_one_learns(sharding, alone, samples, tmp_path, request):
    both = request.getfixturevalue("split") if sharding == "fsdp" else trained(tmp_path, samples, processes=2)
    must_have_learned_the_same(alone, both)
    assert len(series(both, "loss")) == both.manifest.metrics["steps"] > 8
    assert both.manifest.metrics["parameters"] == alone.manifest.metrics["parameters"]


SPLIT = train_config(processes=2, sharding="fsdp")
DEEPSPEED = ROOT / ".venv" / "deepspeed"


class Stage:
    """A stage as a process of its own, whose log is read while it runs; it finds packages in `beside` as well."""

    def __init__(self, stage: str, config: dict, inputs: dict[str, str], output: Path, *beside: Path) -> None:
        given = [word for name, uri in inputs.items() for word in ("--input", f"{name}={uri}")]
        command = [sys.executable, "-m", "finetune", stage, "--config", json.dumps(config), *given]
        env = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, *map(str, beside)])}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen([*command, "--output", f"{output}/"], **pipes, text=True, env=env)
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


def kill_one_of_two(running: list[psutil.Process]) -> None:
    workers = [process for process in running if process.environ().get("RANK")]
    assert sorted(process.environ()["RANK"] for process in workers) == ["0", "1"]
    next(process for process in workers if process.environ()["RANK"] == "1").kill()


def test_whoever_is_killed_nobody_is_left_and_a_retry_ends_in_the_same_bits(split, samples, tmp_path):
    plan = next(parent.uri for parent in split.manifest.parents if parent.input == "plan")
    inputs = {"samples": samples, "plan": plan}
    first = Stage("train", SPLIT, inputs, tmp_path)
    running = first.wait_for("checkpoint step=2")
    kill_one_of_two(running)
    code, log, out = first.end()
    assert (code, out) == (13, ""), log
    assert "process 1 of the training was killed by signal 9" in log
    assert psutil.wait_procs(running, timeout=5)[1] == []

    second = Stage("train", SPLIT, inputs, tmp_path)
    running = second.wait_for("resumed step=")
    second.process.terminate()
    code, log, _ = second.end()
    assert code == 128 + signal.SIGTERM, log
    assert psutil.wait_procs(running, timeout=5)[1] == []

    third = run("train", SPLIT, [f"samples={samples}", f"plan={plan}"], tmp_path)
    assert third.content_hash == split.manifest.content_hash
    assert open_dataset(resolve(third.uri)).manifest.metrics == split.manifest.metrics


@pytest.fixture
def deepspeed():
    """The folder with DeepSpeed, which is in no image; only the processes of a test find it there."""
    if not (DEEPSPEED / "deepspeed").is_dir():
        pytest.skip(f"no DeepSpeed in {DEEPSPEED.relative_to(ROOT)} (make test-venvs)")
    return DEEPSPEED


def test_deepspeed_learns_what_one_process_learns_though_it_is_killed_in_between(deepspeed, alone, samples, tmp_path):
    config, inputs = train_config(processes=2, sharding="deepspeed"), {"samples": samples}
    planning = Stage("plan", {"training": config["training"], "max_truncated": 1.0}, inputs, tmp_path, deepspeed)
    code, log, out = planning.end()
    assert code == 0, log
    inputs["plan"] = json.loads(out.splitlines()[-1])["uri"]  # DeepSpeed writes there too, before it
    killed = Stage("train", config, inputs, tmp_path, deepspeed)
    kill_one_of_two(running := killed.wait_for("checkpoint step=4"))
    code, log, _ = killed.end()
    assert code == 13, log
    assert psutil.wait_procs(running, timeout=5)[1] == []

    code, log, out = Stage("train", config, inputs, tmp_path, deepspeed).end()
    assert code == 0, log
    assert "resumed step=" in log
    must_have_learned_the_same(alone, open_dataset(resolve(json.loads(out.splitlines()[-1])["uri"])))
