"""What `train` leaves behind, opened by the stages after it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from contract.config.finetune import Training
from finetune.base import TINY, base_folder, load_tokenizer
from finetune.model import cast_weights, load_model
from finetune.winner import winner
from stagekit.dataset import Dataset

BASE, TOKENIZER, ADAPTER, MODEL = "base", "tokenizer", "adapter", "model"
TRACKING = "tracking.json"
REVISION = "base_revision"
"""Under which name plan and train note the hub's commit of the base model."""


@dataclass(frozen=True)
class Trained:
    """A training's result: adapter or whole model, with tokenizer, and the base it started from.

    Made from what `choose` wrote, it is the training that was chosen.
    """

    dataset: Dataset

    def __post_init__(self) -> None:
        """Go on with the chosen one."""
        object.__setattr__(self, "dataset", winner(self.dataset))

    @cached_property
    def training(self) -> Training:
        """How it was trained."""
        return Training.model_validate(self.dataset.manifest.config["training"])

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer with its chat template, as it was trained with."""
        return load_tokenizer(self.dataset.folder(TOKENIZER))

    @cached_property
    def base_folder(self) -> Path:
        """The base model's files."""
        if self.training.base_model == TINY:
            return self.dataset.folder(BASE)
        return base_folder(self.training.base_model, str(self.dataset.manifest.metrics.get(REVISION, "")))

    @property
    def has_adapter(self) -> bool:
        """Whether the result is an adapter on the base."""
        return self.training.method != "full"

    def base(self, dtype: torch.dtype, device: torch.device, four_bit: bool = False) -> Any:
        """The untuned model."""
        return load_model(self.base_folder, self.tokenizer, dtype, device, four_bit)

    def as_trained(self, dtype: torch.dtype, device: torch.device) -> Any:
        """The tuned model on the base that its adapter saw in training: for QLoRA, the quantised one."""
        return self.tuned(dtype, device, four_bit=self.training.method == "qlora")

    def tuned(self, dtype: torch.dtype, device: torch.device, four_bit: bool = False) -> Any:
        """The tuned model: the adapter on an unquantised base, or the whole model."""
        if not self.has_adapter:
            return load_model(self.dataset.folder(MODEL), self.tokenizer, dtype, device)
        from peft import PeftModel  # with bitsandbytes behind it, it takes longer to import than torch

        model = PeftModel.from_pretrained(
            self.base(dtype, device, four_bit), self.dataset.folder(ADAPTER), autocast_adapter_dtype=False
        )
        cast_weights(model, dtype)
        return model.eval()

    def known_run(self) -> str | None:
        """The MLflow run it was logged to, as JSON, where it was."""
        if any(file.path == TRACKING for file in self.dataset.manifest.files):
            return self.dataset.file(TRACKING).read_text()
        return None
