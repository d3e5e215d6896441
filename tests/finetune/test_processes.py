"""Two processes on CPUs (gloo) against one: the same loss at each step, whole copies and split weights alike.

Each training starts two processes that import the slow libraries, so few are started and much is asked of each.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from contract.failures import RemoteTrouble
from every_field import run
from published import publish, real_samples
from stagekit.dataset import open_dataset
from stagekit.store import resolve

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
    """Fewer rows than two processes can share evenly: 27 packed or not, in batches of two."""
    return publish(tmp_path_factory.mktemp("samples") / "published", real_samples(40, 4))


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    """What the processes are started with."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


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


@pytest.mark.parametrize("sharding", ["none", "fsdp"])
def test_two_processes_learn_what_one_learns(sharding, alone, samples, tmp_path):
    both = trained(tmp_path, samples, processes=2, sharding=sharding)
    for name, within in (("loss", 1e-5), ("eval_loss", 1e-5), ("grad_norm", 1e-4), ("num_tokens", 0)):
        assert series(both, name) == pytest.approx(series(alone, name), abs=within), name
    assert len(series(both, "loss")) == both.manifest.metrics["steps"] > 8
    wanted, found = (load_file(dataset.folder("model") / "model.safetensors") for dataset in (alone, both))
    assert {name: tensor.shape for name, tensor in found.items()} == {n: t.shape for n, t in wanted.items()}
    assert max((wanted[name] - found[name]).abs().max() for name in wanted) < 1e-3
    assert both.manifest.metrics["parameters"] == alone.manifest.metrics["parameters"]
