"""mix: join general instruction datasets to the generated samples."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import RowsConfig, Table


class MixSource(Table):
    """One general dataset to take samples from."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
    """Name kept in each sample's `source`; letters, digits, dot, underscore and hyphen."""

    format: Literal["alpaca", "sharegpt", "openai"] = "alpaca"
    """Layout of its rows."""

    take: int | None = Field(None, ge=1)
    """Most samples taken, chosen by hash (null takes all)."""

    share: float | None = Field(None, gt=0, lt=1)
    """Share of all samples that this dataset makes up when all are joined (above 0, below 1), copies included: so many
    are chosen by hash, or `take` or all there are where that is less. Null takes as many whatever the others have."""

    repeat: int = Field(1, ge=1, le=100)
    """How often each sample appears (1 to 100); copies always share a split."""

    license: str | None = None
    """Licence of its samples."""


class MixConfig(RowsConfig):
    """Adds general samples so that a small set also teaches the chat format."""

    datasets: list[MixSource] = []
    """Datasets to add."""

    seed: int = Field(0, ge=0, le=2**32 - 1)
    """Seed of the choice (0 to 4,294,967,295)."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [dataset.name for dataset in self.datasets]
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two datasets are named {', '.join(doubles)}; expected a name for each")
        return self

    @model_validator(mode="after")
    def _room_for_the_others(self) -> Self:
        if (total := sum(dataset.share or 0 for dataset in self.datasets)) >= 1:
            raise ValueError(f"the shares add up to {total:g}; expected less than 1, which is all samples")
        return self
