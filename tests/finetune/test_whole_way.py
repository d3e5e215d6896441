"""From a published dataset to a registered model on a real MLflow server; killed on the way and taken up again."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import mlflow
import pytest
import torch

from conftest import ROOT, Runner
from finetune.chat import prompt_ids
from finetune.export.merge import largest_difference
from finetune.exported import load_exported
from finetune.model import generate, logits
from finetune.trained import Trained
from published import TRAIN, TRAINING, publish, real_samples
from stagekit.dataset import open_dataset
from stagekit.store import resolve

PROMPTS = [sample.messages[:1] for sample in real_samples(6, 0)]


@pytest.fixture
def client(walked, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", walked.env["MLFLOW_TRACKING_URI"])
    mlflow.set_tracking_uri(walked.env["MLFLOW_TRACKING_URI"])
    return mlflow.MlflowClient()


@pytest.fixture
def trained(walked):
    return Trained(open_dataset(resolve(walked.results["train"]["uri"])))


def test_the_tuned_model_is_better_than_its_base(walked):
    metrics = walked.results["evaluate"]["metrics"]
    assert metrics["tuned_loss"] < metrics["base_loss"] - 0.2
    assert metrics["gate"] == "passed"
    comparison = json.loads(walked.file("evaluate", "comparison.json").read_text())
    assert len(comparison["answers"]) == 2
    assert metrics["over_prompted"] == pytest.approx(metrics["few_shot_loss"] - metrics["tuned_loss"])
    assert comparison["verdict"].startswith("Yes"), "examples teach an untrained model nothing"
    assert (
        f"Gate passed: improvement {metrics['improvement']:.4f} > 0."
        in walked.file("evaluate", "comparison.md").read_text()
    )


def test_the_merged_model_says_what_base_and_adapter_say(walked, trained):
    assert walked.results["export"]["metrics"]["merge_difference"] < 1e-3
    adapter = trained.tuned(torch.float32, torch.device("cpu"))
    merged = load_exported(walked.file("export", "model"))
    asked = [prompt_ids(trained.tokenizer, messages) for messages in PROMPTS]
    base = trained.base(torch.float32, torch.device("cpu"))
    said = [logits(adapter, ids) for ids in asked]
    assert largest_difference(said, [logits(merged, ids) for ids in asked]) < 1e-3
    assert largest_difference(said, [logits(base, ids) for ids in asked]) > 0.1, "the adapter does something"


def test_the_model_that_mlflow_gives_back_says_what_the_exported_one_says(walked, trained, client):
    registered = mlflow.transformers.load_model("models:/demo@champion", return_type="components")["model"]
    exported = load_exported(walked.file("export", "model"))
    for messages in PROMPTS:
        ids = prompt_ids(trained.tokenizer, messages)
        assert torch.equal(logits(registered, ids), logits(exported, ids))
        assert generate(registered, ids, 12) == generate(exported, ids, 12)


def test_the_registered_version_tells_what_it_was_made_from(walked, client):
    version = client.get_model_version_by_alias("demo", "challenger")
    results = walked.results
    assert version.version == client.get_model_version_by_alias("demo", "champion").version
    assert version.tags["nocturne.content_hash"] == results["export"]["content_hash"]
    assert version.tags["nocturne.training"] == results["train"]["content_hash"]
    assert version.tags["nocturne.code_version"] == "abc123"
    assert version.tags["nocturne.train_run"] == results["train"]["links"]["mlflow_run"]
    assert json.loads(version.tags["nocturne.images"])["train"] == "finetune@sha256:1"
    card = walked.file("export", "model/README.md").read_text()
    assert version.description.startswith("# ")
    assert version.description in card, "the card is on the version's page, without the head for the hub"


def test_the_run_holds_parameters_curves_dataset_and_template(walked, client):
    run = client.get_run(walked.results["train"]["links"]["mlflow_run"].rpartition("/")[2])
    dataset = open_dataset(resolve(walked.dataset)).manifest
    assert run.info.status == "FINISHED"
    assert (run.data.params["lora.rank"], run.data.params["learning_rate"]) == ("32", "0.02")
    assert run.data.metrics["evaluate/tuned_loss"] == walked.results["evaluate"]["metrics"]["tuned_loss"]
    steps = walked.results["train"]["metrics"]["steps"]
    for name in ("train_loss", "grad_norm", "learning_rate", "tokens"):
        assert [point.step for point in client.get_metric_history(run.info.run_id, name)] == [*range(1, steps + 1)]
    assert len(client.get_metric_history(run.info.run_id, "eval_loss")) >= 2
    assert run.data.metrics["memory_gb"] > 0.1
    (used,) = run.inputs.dataset_inputs
    assert {tag.key: tag.value for tag in used.tags}["content_hash"] == dataset.content_hash
    assert {file.path for file in client.list_artifacts(run.info.run_id, "plan")} >= {"plan/template.html"}
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {"curves.svg", "history.json"}
    assert run.data.tags["nocturne.curves"] == walked.results["train"]["metrics"]["curves"]
    picture = walked.file("train", "curves.svg").read_text()
    for line in ("train", "test", "gradient norm", "learning rate"):
        assert f"<!-- {line} -->" in picture, "drawn, with its name"
    assert run.data.metrics["evaluate/few_shot_loss"] == walked.results["evaluate"]["metrics"]["few_shot_loss"]
    assert {file.path for file in client.list_artifacts(run.info.run_id, "evaluate")} >= {
        f"evaluate/comparison.{ending}" for ending in ("json", "md", "html", "svg")
    }


def test_nothing_hashed_holds_a_path_or_a_time_of_this_machine(walked):
    for stage in ("plan", "train", "evaluate", "export", "register"):
        dataset = open_dataset(resolve(walked.results[stage]["uri"]))
        for file in dataset.manifest.files:
            if file.hashed:
                assert str(walked.folder).encode() not in dataset.file(file.path).read_bytes(), file.path


def train_command(walked, output):
    command = [str(ROOT / ".venv/finetune/bin/python"), "-m", "finetune", "train", "--config", json.dumps(TRAIN)]
    for name, uri in walked.inputs("plan"):
        command += ["--input", f"{name}={uri}"]
    return [*command, "--output", f"{output}/"]


def kill_after_a_checkpoint(command, env, scratch):
    """SIGKILL as soon as the first checkpoint is whole."""
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while not list(scratch.rglob("complete.json")):
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_killed_training_resumes_to_the_same_bits_in_the_same_run(walked, client, tmp_path):
    env = os.environ | walked.env | {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/finetune"}
    command = train_command(walked, tmp_path)
    kill_after_a_checkpoint(command, env, tmp_path / ".scratch")
    (scratch,) = (tmp_path / ".scratch").iterdir()
    whole = next(scratch.rglob("complete.json")).parent
    run_id = json.loads((scratch / "mlflow_run.json").read_text())["run_id"]
    shutil.copytree(whole, scratch / "checkpoint-99999998-torn")
    (scratch / "checkpoint-99999998-torn" / "complete.json").unlink()
    newer = shutil.copytree(whole, scratch / "checkpoint-99999999-damaged")
    (newer / "optimizer.pt").write_bytes(b"not what was written")
    (newer / "complete.json").write_text((whole / "complete.json").read_text().replace('"step": 6', '"step": 9'))

    again = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "resumed step=6" in again.stderr
    assert "reason=damaged" in again.stderr
    result, reference = json.loads(again.stdout.splitlines()[-1]), walked.results["train"]
    assert result["content_hash"] == reference["content_hash"]
    assert result["metrics"] == reference["metrics"], "tokens are counted on, not from 0"
    assert result["links"]["mlflow_run"].endswith(run_id)
    points = [point.step for point in client.get_metric_history(run_id, "train_loss")]
    assert points == [*range(1, reference["metrics"]["steps"] + 1)]
    assert not list(scratch.rglob("*.*")), "scratch goes when the dataset stands"


def test_registering_again_makes_no_second_version_and_mends_a_registry_that_lost_it(walked, client):
    run = Runner("process", walked.folder)
    inputs = walked.inputs("train", "evaluate", "export")
    again = run("finetune", "register", {}, inputs, env=walked.env)
    assert again.result["reused"]
    assert [version.version for version in client.search_model_versions("name='demo'")] == ["1"]
    client.delete_registered_model("demo")
    assert run("finetune", "register", {}, inputs, env=walked.env).result["reused"]
    (version,) = client.search_model_versions("name='demo'")
    assert version.tags["nocturne.content_hash"] == walked.results["export"]["content_hash"]
    assert client.get_model_version_by_alias("demo", "champion").version == version.version


def test_champion_moves_by_a_persons_word_alone_and_notes_whose(walked, client):
    run = Runner("process", walked.folder)
    inputs = walked.inputs("train", "evaluate", "export")
    config = {"model_name": "asked", "champion": "approval"}
    waiting = run("finetune", "register", config, inputs, env=walked.env).result
    assert (waiting["metrics"]["version"], waiting["metrics"]["champion"]) == (1, "false")
    assert client.get_registered_model("asked").aliases == {"challenger": "1"}, "the gate alone moves nothing"
    approved = run("finetune", "register", config | {"approved_by": "vera"}, inputs, env=walked.env)
    assert "champion model=asked version=1 before=None by=vera" in approved.stderr
    assert client.get_registered_model("asked").aliases == {"challenger": "1", "champion": "1"}
    assert client.get_model_version("asked", "1").tags["nocturne.approved_by"] == "vera"
    client.delete_registered_model_alias("asked", "champion")
    assert run("finetune", "register", config | {"approved_by": "vera"}, inputs, env=walked.env).result["reused"]
    assert client.get_registered_model("asked").aliases["champion"] == "1", "approved again"


def test_a_full_training_exports_its_own_weights_without_a_tracking_server(tmp_path):
    run = Runner("process", tmp_path)
    training = TRAINING | {"method": "full", "learning_rate": 3e-3, "epochs": 1, "packing": False}
    inputs = [("samples", publish(tmp_path / "published", real_samples(40, 6)))]
    inputs.append(("plan", run("finetune", "plan", {"training": training}, inputs).result["uri"]))
    train = run("finetune", "train", {"training": training}, inputs)
    assert "nothing is tracked" in train.stderr
    assert train.result["links"] == {}
    inputs[1:] = [("train", train.result["uri"])]
    export = run("finetune", "export", {"dtype": "float32"}, inputs).result
    weights = [
        Path(uri.removeprefix("file://")) / "model/model.safetensors" for uri in (train.result["uri"], export["uri"])
    ]
    assert weights[0].read_bytes() == weights[1].read_bytes()
