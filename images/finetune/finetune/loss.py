"""Loss on samples that were not trained on."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from finetune.data import IGNORED, Row
from finetune.model import evaluating

BATCH_TOKENS = 4_096
"""Tokens per forward pass, padding included: small enough for any machine that could train the model."""


@dataclass(frozen=True)
class Loss:
    """Mean negative log-likelihood over `tokens` assistant tokens, in nats."""

    nats: float
    tokens: int

    @property
    def perplexity(self) -> float:
        """Its exponential."""
        return math.exp(self.nats)


def mean_loss(model: Any, rows: Sequence[Row], pad: int) -> Loss:
    """Loss over all rows, every token weighing the same. Rows are padded and masked, never packed."""
    total, tokens = 0.0, 0
    with evaluating(model), torch.no_grad():
        for batch in batches(rows):
            ids, mask, labels = (tensor.to(model.device) for tensor in _padded(batch, pad))
            scores = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
            targets = labels[:, 1:]
            total += torch.nn.functional.cross_entropy(
                scores.reshape(-1, scores.shape[-1]), targets.reshape(-1), ignore_index=IGNORED, reduction="sum"
            ).item()
            tokens += int((targets != IGNORED).sum())
    return Loss(total / tokens, tokens)


def batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows by length, in batches of at most `BATCH_TOKENS` tokens or one row."""
    batch: list[Row] = []
    for row in sorted(rows, key=lambda row: (len(row.ids), row.id)):
        if batch and (len(batch) + 1) * len(row.ids) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _padded(rows: list[Row], pad: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, mask and labels of shape `(rows, longest)`, padded on the right."""
    longest = max(len(row.ids) for row in rows)
    gaps = [longest - len(row.ids) for row in rows]
    ids = [row.ids + [pad] * gap for row, gap in zip(rows, gaps, strict=True)]
    mask = [[1] * len(row.ids) + [0] * gap for row, gap in zip(rows, gaps, strict=True)]
    labels = [row.labels + [IGNORED] * gap for row, gap in zip(rows, gaps, strict=True)]
    return torch.tensor(ids), torch.tensor(mask), torch.tensor(labels)
