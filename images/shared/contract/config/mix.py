"""mix: join general instruction datasets to the generated samples."""

from typing import Literal

from pydantic import Field

from contract.config.base import Source, StageConfig


class MixSource(Source):
    """One general dataset to take samples from."""

    name: str
    """Name kept in each sample's `source`."""

    format: Literal["alpaca", "sharegpt", "openai"] = "alpaca"
    """Layout of its rows."""

    take: int | None = Field(None, ge=1)
    """Most samples taken, chosen by hash (null takes all)."""

    repeat: int = Field(1, ge=1, le=100)
    """How often each sample appears (1 to 100)."""

    license: str | None = None
    """Licence of its samples."""


class MixConfig(StageConfig):
    """Adds general samples so that a small set also teaches the chat format."""

    datasets: list[MixSource] = []
    """Datasets to add."""

    seed: int = Field(0, ge=0, le=2**32 - 1)
    """Seed of the choice (0 to 4,294,967,295)."""
