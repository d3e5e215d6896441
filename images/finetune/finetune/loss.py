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
    """Mean negative log-likelihood over `tokens` learned tokens, in nats."""

    nats: float
    tokens: int

    @property
    def perplexity(self) -> float:
        """Its exponential."""
        return math.exp(self.nats)


def mean_loss(model: Any, rows: Sequence[Row], pad: int) -> Loss:
    """Loss over all rows, every token weighing the same. Rows are padded and masked, never packed."""
    return in_all(row_losses(model, rows, pad))


def in_all(losses: Sequence[Loss]) -> Loss:
    """The loss over all tokens of several rows."""
    tokens = sum(loss.tokens for loss in losses)
    return Loss(math.fsum(loss.nats * loss.tokens for loss in losses) / tokens, tokens)


def row_losses(model: Any, rows: Sequence[Row], pad: int) -> list[Loss]:
    """The loss of each row, in order; rows must have something to learn."""
    order = sorted(range(len(rows)), key=lambda place: (len(rows[place].ids), rows[place].id))
    found: list[Loss] = []
    with evaluating(model), torch.no_grad():
        for batch in batches(rows):
            found += _batch_losses(model, batch, pad)
    return [loss for _, loss in sorted(zip(order, found, strict=True), key=lambda pair: pair[0])]


def _batch_losses(model: Any, batch: list[Row], pad: int) -> list[Loss]:
    ids, mask, labels = (tensor.to(model.device) for tensor in _padded(batch, pad))
    scores = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
    targets = labels[:, 1:]
    each = torch.nn.functional.cross_entropy(
        scores.reshape(-1, scores.shape[-1]), targets.reshape(-1), ignore_index=IGNORED, reduction="none"
    )
    nats = each.double().view(targets.shape).sum(1).tolist()
    tokens = (targets != IGNORED).sum(1).tolist()
    return [Loss(total / number, number) for total, number in zip(nats, tokens, strict=True)]


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
