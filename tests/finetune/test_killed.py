"""Killed at five moments, one after the other: the training ends in the same bits as one that nobody touched."""

import os
import signal
import sys

from killed_training import MOMENTS, run_in_process
from published import TRAINING, publish, real_samples
from stagekit.dataset import open_dataset
from stagekit.store import resolve

# Dropout and noise draw random numbers at each step: a state that is not restored would show.
DRAWN = TRAINING | {"neftune": 5, "lora": {"rank": 8, "dropout": 0.1}, "epochs": 4, "max_length": 128}
TRAIN = {"training": DRAWN, "eval_every": 6, "save_every": 3}


def the_dataset_in(folder):
    (manifest,) = folder.glob("*/manifest.json")
    return open_dataset(resolve(str(manifest.parent)))


def test_a_training_killed_five_times_ends_in_the_same_bits(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # all that the server of forks starts with
    samples = f"samples={publish(tmp_path / 'published', real_samples(28, 6))}"
    assert run_in_process("plan", {"training": DRAWN}, [samples], tmp_path / "plan")[0] == 0
    inputs = [samples, f"plan={the_dataset_in(tmp_path / 'plan').uri}"]
    assert run_in_process("train", TRAIN, inputs, tmp_path / "untouched")[0] == 0

    resumed = []
    for moment in MOMENTS:
        code, log = run_in_process("train", TRAIN, inputs, tmp_path / "killed", moment)
        assert code == -signal.SIGKILL, f"{moment}: {log}"
        assert not list((tmp_path / "killed").glob("*/manifest.json"))
        resumed.append(_resumed_at(log))
    code, log = run_in_process("train", TRAIN, inputs, tmp_path / "killed")
    assert code == 0, log
    resumed.append(_resumed_at(log))

    untouched, killed = the_dataset_in(tmp_path / "untouched").manifest, the_dataset_in(tmp_path / "killed").manifest
    assert resumed == [None, None, None, 3, 3, untouched.metrics["steps"]]
    assert untouched.metrics["steps"] > 6
    assert killed.content_hash == untouched.content_hash
    assert killed.metrics == untouched.metrics, "losses, steps, and tokens counted on"


def _resumed_at(log):
    lines = [line for line in log.splitlines() if line.startswith("resumed")]
    return int(lines[0].partition("'step': ")[2].partition(",")[0]) if lines else None
