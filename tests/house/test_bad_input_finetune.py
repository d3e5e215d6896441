"""Bad input to the fine-tuning stages: one clear message, the right exit code, no traceback, no half-made dataset."""

import json
import shutil
from pathlib import Path

import pytest

from published import TRAINING, publish, sample

CLOSED = "http://127.0.0.1:9"


def talk(number: int, split: str, answer: str = "Because it is so."):
    return sample(number, split, ("user", f"Why {number}?"), ("assistant", answer))


SAMPLES = [talk(i, "test" if i < 2 else "train") for i in range(10)]


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A good plan, whose `base/` is a real model folder to spoil."""
    from conftest import Runner

    folder = tmp_path_factory.mktemp("planned")
    dataset = publish(folder / "published", SAMPLES)
    run = Runner("process", folder)
    return dataset, run("finetune", "plan", {"training": TRAINING}, [("samples", dataset)]).result["uri"]


def edited(base: Path, name: str, **fields) -> None:
    path = base / name
    values = json.loads(path.read_text()) | fields
    path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))


def forget_pad(base: Path) -> None:
    edited(base, "tokenizer_config.json", pad_token=None)
    path = base / "tokenizer.json"
    path.write_text(path.read_text().replace('"<pad>"', '"<filler>"'))


SPOILED = {
    "has no end token": ({}, lambda base: edited(base, "tokenizer_config.json", eos_token=None), "names no end token"),
    "has no pad token": ({}, forget_pad, "names no pad token and has none reserved"),
    "has no chat template": ({"template": "tokenizer"}, lambda base: None, "no chat template of its own"),
    "has another vocabulary": (
        {},
        lambda base: edited(base, "config.json", vocab_size=100),
        "but the model's embedding has 100 rows",
    ),
    "is of an unknown kind": (
        {},
        lambda base: edited(base, "config.json", model_type="mystery"),
        "the model's config cannot be read",
    ),
    "has no config": ({}, lambda base: (base / "config.json").unlink(), "no config.json, so this is no model"),
    "has no tokenizer": (
        {},
        lambda base: [path.unlink() for path in base.glob("tokenizer*")],
        "no tokenizer can be loaded",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_base_model_that(name, planned, run_stage, tmp_path):
    training, spoil, message = SPOILED[name]
    base = shutil.copytree(Path(planned[1].removeprefix("file://")) / "base", tmp_path / "base")
    spoil(base)
    config = {"training": TRAINING | training | {"base_model": str(base)}}
    refused(run_stage("finetune", "plan", config, [("samples", planned[0])]), 11, message, tmp_path / "plan")


LONG = [*SAMPLES[:5], *(talk(i, "train", "word " * 200) for i in range(5, 10))]
WORDY = [sample(i, "test" if i < 2 else "train", ("user", "why " * 99), ("assistant", "So.")) for i in range(10)]
PLANS = [
    ("a test split that is empty", SAMPLES[2:], {}, {}, 11, "the test split is empty: 8 train and 0 test of 8"),
    ("a train split that is empty", SAMPLES[:2], {}, {}, 11, "the train split is empty: 0 train and 2 test of 2"),
    ("a length below every prompt", WORDY, {"max_length": 16}, {"max_truncated": 1.0}, 11, "has a token to learn"),
    ("a GPU that is not there", SAMPLES, {"device": "gpu"}, {}, 10, "this machine has no usable GPU"),
    ("a model that does not fit", SAMPLES, {}, {"gpu_memory_gb": 0.001}, 10, "GB of the GPU"),
    ("a missing base model", SAMPLES, {"base_model": "/nowhere/model"}, {}, 11, "/nowhere/model"),
    ("samples that are cut off", LONG, {"max_length": 64}, {}, 11, "5 of 8 samples (62.5%) are longer than 64 tokens"),
    ("a base model of no name", SAMPLES, {"base_model": ""}, {}, 10, "`training.base_model`"),
    ("an unknown method", SAMPLES, {"method": "magic"}, {}, 10, "`training.method` is \"magic\""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("samples", "training", "config", "code", "message"), [p[1:] for p in PLANS], ids=[p[0] for p in PLANS]
)
def test_a_plan_with(samples, training, config, code, message, run_stage, tmp_path):
    dataset = publish(tmp_path / "published", samples)
    ended = run_stage("finetune", "plan", {"training": TRAINING | training} | config, [("samples", dataset)])
    refused(ended, code, message, tmp_path / "plan")


TRAININGS = [
    ("a tracking server that is down", {}, {}, CLOSED, 13, "the tracking server does not answer"),
    ("the plan of another training", {"batch_size": 3}, {}, "", 11, "another training: batch_size differ"),
    (
        "checkpoints that miss the best",
        {"early_stopping": 2},
        {"eval_every": 4},
        "",
        10,
        "is no multiple of eval_every",
    ),
]


@pytest.mark.parametrize(
    ("training", "config", "uri", "code", "message"), [t[1:] for t in TRAININGS], ids=[t[0] for t in TRAININGS]
)
def test_a_training_with(training, config, uri, code, message, planned, run_stage, tmp_path):
    dataset, plan = planned
    inputs = [("samples", dataset), ("plan", plan)]
    config = {"training": TRAINING | training} | config
    ended = run_stage("finetune", "train", config, inputs, env={"MLFLOW_TRACKING_URI": uri})
    refused(ended, code, message, tmp_path / "train")


def refused(ended, code, message, folder):
    assert (ended.exit_code, message in ended.stderr) == (code, True), ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(folder.rglob("manifest.json"))
    assert not list(folder.glob(".building-*"))
