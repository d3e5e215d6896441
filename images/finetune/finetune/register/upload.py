"""Storing an exported model with MLflow, and asking it the same questions after reading it back.

Always the merged model: MLflow stores an adapter on a base in a local folder without complaint, and gives back random
weights (mlflow issue 22020).
"""

import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow

from contract.failures import BadInput
from finetune.base import load_tokenizer
from finetune.exported import ANSWER_TOKENS, PARITY, load_exported
from finetune.model import generate, logits
from finetune.tracking import Run, remote

BESIDE = ("README.md", PARITY)
"""Files of the export that MLflow does not take from the model in memory: the card, and what a server is checked by."""
REQUIREMENTS = ("torch", "transformers", "accelerate")


def upload(folder: Path, run: Run, prompts: Sequence[list[int]]) -> str:
    """Log the model in `folder` to a run and check it there; returns its URI, `models:/m-...`."""
    model = load_exported(folder)
    with remote("store the model"):
        mlflow.set_experiment(experiment_id=run.experiment_id)
        with mlflow.start_run(run_id=run.run_id, log_system_metrics=False):
            info = mlflow.transformers.log_model(
                transformers_model={"model": model, "tokenizer": load_tokenizer(folder)},
                name="model",
                task="text-generation",
                pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in REQUIREMENTS],
            )
        check_registered(info.model_uri, model, prompts)
        for name in BESIDE:
            if (folder / name).is_file():
                mlflow.MlflowClient().log_model_artifact(info.model_id, str(folder / name), "nocturne")
    return str(info.model_uri)


def check_registered(uri: str, model: Any, prompts: Sequence[list[int]]) -> None:
    """Raises `BadInput` unless what MLflow gives back says exactly what the exported model says."""
    with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
        path = mlflow.artifacts.download_artifacts(uri, dst_path=folder)
        again = mlflow.transformers.load_model(path, return_type="components", torch_dtype=model.dtype)["model"]
    for prompt in prompts:
        difference = (logits(model, prompt) - logits(again, prompt)).abs().max().item()
        if difference or generate(model, prompt, ANSWER_TOKENS) != generate(again, prompt, ANSWER_TOKENS):
            raise BadInput(
                f"the registered model differs from the exported one by {difference:.2g} in a logit",
                expected="no difference at all",
                where=uri,
            )
