"""rate: score samples by an encoder classifier or a reward model."""

from typing import Annotated, Literal

from pydantic import Field

from contract.config.base import RowsConfig, Source
from contract.config.finetune import is_folder

ScoreName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]


class RateConfig(RowsConfig):
    """Scores by any sequence-classification model; drops samples only where a minimum is set."""

    model: str = Field(min_length=1)
    """A folder (`/`, `./`, `file://` or `s3://` first; `./` counts from the store's root), such as `model/` of a
    stored dataset; or a hub id `owner/name`, better with a revision: `owner/name@revision`."""

    field: Literal["answer", "instruction", "conversation"] = "conversation"
    """Which text it reads; a conversation goes through the tokenizer's own chat template where it has one."""

    reading: Literal["heads", "sigmoid", "probability", "expected"] = "heads"
    """What a score is: each output as it is (regression and reward models), each through the logistic function
    (independent labels), the softmax probability of each label, or the mean of the labels' values weighted by it."""

    names: list[ScoreName] = []
    """Name of each score, in the order of the model's outputs; empty takes the model's labels, and `rate` where there
    is one score only."""

    values: list[float] = []
    """For `expected`: what each label is worth, in their order; empty counts from 0."""

    minimum: dict[str, float] = {}
    """Least value of a score, by its name; samples below go to the ledger. Empty drops nothing."""

    max_length: int = Field(4_096, ge=8, le=1_000_000)
    """Longest text read (tokens); the model's own limit holds where it is lower. What is cut off is counted."""

    cut: Literal["end", "start"] = "end"
    """Which part of a longer text goes; reward models judge the last turn, so `start` keeps it."""

    batch_tokens: int = Field(8_192, ge=8, le=10_000_000)
    """Tokens per forward pass, padding included; a longer text goes alone. Part of the result, since sums are rounded
    by how they are split."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to compute; `auto` takes a GPU where there is one. On a GPU weights are bfloat16, on a CPU float32."""

    cpu_threads: int = Field(2, ge=1, le=256)
    """Threads on a CPU (1 to 256); part of the result, since sums are rounded by how they are split."""


def rate_sources(config: RateConfig) -> list[Source]:
    """The model's folder as a source, so that new weights under an old name are noticed."""
    return [Source(uri=config.model)] if is_folder(config.model) else []
