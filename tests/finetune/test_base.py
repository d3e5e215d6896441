"""Where the base model comes from: the very commit of the hub that was planned for, whole, or a message that helps."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import ROOT
from contract.config.finetune import Training
from contract.failures import BadInput
from finetune.base import base_folder, load_tokenizer
from finetune.model import load_model
from finetune.tiny import build_tiny
from model_hub import ModelHub
from published import TRAINING, publish, real_samples, sample

WEIGHTS = "model.safetensors"
LAYER = "model.layers.1.mlp.down_proj.weight"
FETCH = "import sys; from finetune.base import base_folder; print(base_folder(*sys.argv[1:]).name)"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The files of a real base model."""
    folder = tmp_path_factory.mktemp("tiny")
    talk = [sample(i, "train", ("user", f"Why {i}?"), ("assistant", "Because it is so.")) for i in range(8)]
    build_tiny(talk, folder, Training(**TRAINING))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def base(tiny, tmp_path):
    """A folder of them to spoil."""
    for name, data in tiny.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with ModelHub() as server:
        for name, value in {"HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "hub"), "HF_TOKEN": "hf_test"}.items():
            monkeypatch.setenv(name, value)
        yield server


def without(tensors):
    del tensors[LAYER]


def cut(tensors):
    tensors[LAYER] = tensors[LAYER][:-1].contiguous()


@pytest.mark.parametrize(
    ("spoil", "message"), [(without, f"the weights lack {LAYER}"), (cut, f"the weights have another shape of {LAYER}")]
)
def test_weights_that_would_be_random_are_refused(base, spoil, message):
    tensors = load_file(base / WEIGHTS)
    spoil(tensors)
    save_file(tensors, base / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(BadInput, match=message):
        load_model(base, load_tokenizer(base), torch.float32, torch.device("cpu"))


@pytest.mark.parametrize(
    ("length", "message"), [(100_000, "has 100,000 bytes and should have"), (1_000, "no whole"), (0, "no whole")]
)
def test_a_file_of_weights_that_was_cut_off_is_refused_before_anything_is_planned(base, length, message):
    assert base_folder(str(base)) == base
    (base / WEIGHTS).write_bytes((base / WEIGHTS).read_bytes()[:length])
    with pytest.raises(BadInput, match=f"{WEIGHTS} .*{message}|{WEIGHTS} is {message}"):
        base_folder(str(base))


def fetch(*words):
    """In a process of its own: the hub's client reads its environment when it is imported."""
    env = os.environ | {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/finetune"}
    return subprocess.run([sys.executable, "-c", FETCH, *words], env=env, capture_output=True, text=True, check=False)


def test_a_revision_is_what_its_name_or_the_plan_says(hub, tiny):
    first, second = hub.put("owner/name", tiny), hub.put("owner/name", tiny | {"extra.json": b"{}"})
    hub.repositories["owner/name"]["tags"]["v1"] = first
    asked = [("owner/name",), ("owner/name@v1",), ("owner/name", first), ("owner/name@main", first)]
    assert [fetch(*words).stdout.strip() for words in asked] == [second, first, first, first]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("owner/none", "the hub has no model 'owner/none', or it is not open to you"),
        ("owner/name@v9", "the hub's model 'owner/name' has no revision 'v9'"),
        ("owner/gated", "accepted its licence"),
        ("my model", "'my model' cannot be a model of the hub"),
        ("a/b/c", "'a/b/c' cannot be a model of the hub"),
    ],
)
def test_what_the_hub_does_not_give_is_told_apart(hub, tiny, name, message):
    hub.put("owner/name", tiny)
    hub.put("owner/gated", tiny, gated=True)
    last = fetch(name).stderr.strip().splitlines()[-1]
    assert last.startswith("contract.failures.BadInput")
    assert message in last
    assert "hf_test" not in last


def test_a_hub_that_is_down_is_worth_another_try(hub):
    hub.status = 503
    assert "contract.failures.RemoteTrouble: the model hub does not answer" in fetch("owner/name").stderr


def test_a_new_commit_between_plan_and_train_changes_nothing(hub, tiny, run_stage, tmp_path):
    planned = hub.put("owner/name", tiny)
    dataset = publish(tmp_path / "published", real_samples(20, 4))
    training = TRAINING | {"base_model": "owner/name", "epochs": 1}
    plan = run_stage("finetune", "plan", {"training": training}, [("samples", dataset)]).result["uri"]
    hub.put("owner/name", {name: data for name, data in tiny.items() if name != WEIGHTS})
    inputs = [("samples", dataset), ("plan", plan)]
    config = {"training": training, "eval_every": 50, "save_every": 50}
    train = run_stage("finetune", "train", config, inputs, env={"MLFLOW_TRACKING_URI": ""}).result
    assert train["metrics"]["base_revision"] == planned
    inputs = [("samples", dataset), ("train", train["uri"])]
    config = {"generations": 0, "few_shot": 0}
    assert run_stage("finetune", "evaluate", config, inputs, env={"MLFLOW_TRACKING_URI": ""}).result["metrics"]
    settled = json.loads((tmp_path / plan.removeprefix("file://") / "plan.json").read_text())
    assert settled["base_revision"] == planned
