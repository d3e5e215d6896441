"""What there is to say of a stage: its name and image, what it reads and writes, what it may use."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from contract.config.base import Source, StageConfig
from contract.records import Record

Image = Literal["curate", "generate", "finetune"]


@dataclass(frozen=True)
class Port:
    """One named input of a stage. `records` are the row types it takes (empty: any); `many` allows several datasets."""

    name: str
    doc: str
    records: tuple[type[Record], ...] = ()
    many: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Resources:
    """Hard limits of a stage's container. `gpu` says that the stage uses one where there is one."""

    cpus: float = 2
    memory_gb: float = 4
    minutes: int = 120
    gpu: bool = False


@dataclass(frozen=True)
class Stage:
    """One stage. Raise `version` whenever the same input and config would give another result.

    `may_be_empty` says that no rows are a result like any other.
    """

    name: str
    image: Image
    doc: str
    config: type[StageConfig]
    inputs: tuple[Port, ...] = ()
    output: type[Record] | Literal["same"] | None = None
    version: int = 1
    sources: Callable[[StageConfig], list[Source]] = lambda config: []
    resources: Resources = Resources()
    may_be_empty: bool = False

    def port(self, name: str) -> Port | None:
        """The input of that name."""
        return next((port for port in self.inputs if port.name == name), None)
