"""The model: loaded once, asked batch by batch.

Padding is on the right whatever the tokenizer prefers, since decoder models count positions from the left. Those models
read the last token that is not the padding token, so the padding must be one that no text ends in: the model's own, or
where it names none, one that does not occur in the batch.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

from contract.config.rate import RateConfig
from contract.failures import BadInput, RemoteTrouble
from finetune.rate.inputs import Tokens

NO_LIMIT = 1_000_000  # what tokenizers write where they know no limit is far above this
SHOWN = 3


def labels_of(config: Any) -> list[str]:
    """The names of a model's outputs."""
    found: dict[int, str] = config.id2label
    return [found[number] for number in sorted(found)]


class Scorer:
    """Scores batches of token ids."""

    def __init__(self, folder: Path, config: RateConfig, device: torch.device, dtype: torch.dtype) -> None:
        self.most, self.device = config.max_length, device
        self.model = _load(folder, config.model, dtype, device)
        self.text_config = self.model.config.get_text_config()
        self.text_config.use_cache = False  # nothing is generated after
        self._own_pad = self.text_config.pad_token_id

    def longest(self, tokenizer: Any) -> int:
        """The most tokens it reads: the recipe's limit, the tokenizer's, or that of its positions."""
        limits = [self.most, tokenizer.model_max_length]
        positions = getattr(self.text_config, "max_position_embeddings", None)
        if positions and positions > 0:
            limits.append(positions - _positions_before_the_first(self.model))
        return int(min(limit for limit in limits if limit < NO_LIMIT or limit == self.most))

    def outputs(self, batch: list[Tokens]) -> torch.Tensor:
        """The logits of each row, of shape `(rows, outputs)`, in float32 on the CPU.

        Raises `RemoteTrouble` where memory does not suffice.
        """
        pad = self._pad(batch)
        if pad is None and len(batch) > 1:
            return torch.cat([self.outputs([row]) for row in batch])
        self.text_config.pad_token_id = pad
        ids, mask = self._padded(batch, pad or 0)
        try:
            with torch.inference_mode():
                logits: torch.Tensor = self.model(input_ids=ids, attention_mask=mask).logits
        except torch.OutOfMemoryError as error:
            raise RemoteTrouble(f"a batch does not fit: {error}", hint="lower `batch_tokens`") from None
        return logits.float().cpu()

    def _pad(self, batch: list[Tokens]) -> int | None:
        """The padding token; None where the model names none and the batch holds every other."""
        if self._own_pad is not None:
            return int(self._own_pad)
        present = {token for row in batch for token in row.ids}
        return next((token for token in range(self.text_config.vocab_size) if token not in present), None)

    def _padded(self, batch: list[Tokens], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and mask of shape `(rows, longest)`."""
        longest = max(len(row.ids) for row in batch)
        ids = [row.ids + [pad] * (longest - len(row.ids)) for row in batch]
        mask = [[1] * len(row.ids) + [0] * (longest - len(row.ids)) for row in batch]
        return torch.tensor(ids, device=self.device), torch.tensor(mask, device=self.device)


def _load(folder: Path, where: str, dtype: torch.dtype, device: torch.device) -> Any:
    """The model with its head.

    Raises `BadInput` for a folder with no such model, and for one whose head was never trained: transformers would give
    it random weights.
    """
    try:
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder, dtype=dtype, device_map={"": device}, output_loading_info=True
        )
    except torch.OutOfMemoryError as error:
        raise RemoteTrouble(f"the model does not fit: {error}", hint="a smaller model, or a larger GPU") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"no model can be loaded: {str(error).partition(chr(10))[0]}", where=where) from None
    if missing := sorted(report["missing_keys"]):
        raise BadInput(
            f"the weights lack {', '.join(missing[:SHOWN])}, so its scores would be random",
            expected="a trained sequence-classification or reward model",
            where=where,
        )
    return model.eval()


def _positions_before_the_first(model: Any) -> int:
    """Positions that RoBERTa and its heirs never use: they count from behind the padding token's."""
    for name, layer in model.named_modules():
        if name.endswith("position_embeddings") and getattr(layer, "padding_idx", None) is not None:
            return int(layer.padding_idx) + 1
    return 0
