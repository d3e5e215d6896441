"""decontaminate: drop rows that hold benchmark items."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import RUNTIME, RowsConfig, Table


class Benchmark(Table):
    """A benchmark file whose items must not be trained on."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
    """Name used in the ledger and the report; letters, digits, dot, underscore and hyphen."""

    fields: list[str] = Field(min_length=1)
    """Dotted paths of the texts to compare, such as `question`; lists of texts are joined."""


class DecontaminateConfig(RowsConfig):
    """Drops rows that repeat a benchmark item, exactly or by n-gram coverage."""

    field: Literal["text", "instruction", "answer", "conversation"] = "text"
    """Which text is compared: a document's `text`, a sample's `instruction` or `answer`, or all its messages."""

    benchmarks: list[Benchmark] = []
    """Benchmarks to compare with; without any, every row is kept."""

    exact: bool = True
    """Drop rows that hold all words of an item in order; an item of fewer words than `ngram` must be a whole line."""

    ngram: int = Field(8, ge=1, le=50)
    """Words per n-gram (1 to 50)."""

    coverage: float = Field(0.5, ge=0, le=1)
    """A row that covers more than this share of an item's words by common n-grams is dropped (0 to 1)."""

    any_match: bool = False
    """Drop rows that share one 13-gram with an item, as GPT-3 did (Brown et al. 2020, appendix C)."""

    workers: int = Field(0, ge=0, le=256, json_schema_extra=RUNTIME)
    """Threads (1 to 256); 0 means one per core."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [benchmark.name for benchmark in self.benchmarks]
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two benchmarks are named {', '.join(doubles)}; expected a name for each")
        return self
