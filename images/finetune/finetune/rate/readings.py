"""What a model's outputs mean: names of the scores, and numbers from logits."""

from collections.abc import Sequence

import torch

from contract.config.rate import RateConfig
from contract.failures import BadConfig

ONLY = "rate"
"""Name of a score that is the only one."""
DIGITS = 5


def score_names(config: RateConfig, labels: Sequence[str]) -> list[str]:
    """The names of the scores of a model with these labels, in order.

    Raises `BadConfig` where the config names other numbers of them, or demands a minimum of one that is not there.
    """
    number = 1 if config.reading == "expected" else len(labels)
    names = config.names or ([ONLY] if number == 1 else list(labels))
    if len(names) != number or len(set(names)) < number:
        raise BadConfig(
            f"`names` are {', '.join(names)}", expected=f"{number} different names, one per score", where=config.model
        )
    if unknown := sorted(config.minimum.keys() - set(names)):
        raise BadConfig(f"`minimum` names {', '.join(unknown)}", expected=f"some of {', '.join(names)}", where="rate")
    return names


def check_reading(config: RateConfig, outputs: int) -> None:
    """Raise `BadConfig` for a reading that says nothing of a model with so many outputs."""
    if config.reading in ("probability", "expected") and outputs == 1:
        raise BadConfig(
            f"reading {config.reading!r} of a model with one output, where each text would score the same",
            expected="`heads` or `sigmoid`",
            where=config.model,
        )
    if config.values and (config.reading != "expected" or len(config.values) != outputs):
        raise BadConfig(
            f"{len(config.values)} `values` for reading {config.reading!r}",
            expected=f"{outputs} with reading 'expected', else none",
            where=config.model,
        )


def scores_of(logits: torch.Tensor, config: RateConfig) -> list[list[float]]:
    """Scores from logits of shape `(rows, outputs)`, float32; rounded to what a batch's make-up does not change."""
    if config.reading == "sigmoid":
        scores = torch.sigmoid(logits)
    elif config.reading == "probability":
        scores = torch.softmax(logits, -1)
    elif config.reading == "expected":
        values = torch.tensor(config.values or range(logits.shape[-1]), dtype=torch.float32)
        scores = torch.softmax(logits, -1) @ values.unsqueeze(-1)
    else:
        scores = logits
    return [[round(score, DIGITS) for score in row] for row in scores.tolist()]
