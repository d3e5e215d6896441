"""deduplicate: drop exact and near-duplicates, and name the row that was kept instead."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import RUNTIME, RowsConfig, Source, StoredDataset
from contract.config.semantic import Semantic
from contract.config.substring import Substring


class DeduplicateConfig(RowsConfig):
    """Exact and near-duplicate removal; every dropped row names a kept row that really is that similar."""

    field: Literal["text", "instruction", "answer", "conversation"] = "text"
    """Which text is compared: a document's `text`, a sample's `instruction` or `answer`, or all its messages."""

    exact: bool = True
    """Drop rows whose normalised text (lower case, white space collapsed) was seen before."""

    near: bool = True
    """Drop rows whose word n-gram set has a Jaccard similarity of `threshold` or more with a kept row."""

    threshold: float = Field(0.8, ge=0.3, le=1.0)
    """Smallest Jaccard similarity that counts as a near-duplicate (0.3 to 1)."""

    ngram: int = Field(5, ge=1, le=20)
    """Words per shingle (1 to 20); a text of fewer words is one shingle of all its words."""

    engine: Literal["scan", "datasketch"] = "scan"
    """Who proposes candidate pairs; each pair is then verified by its true Jaccard similarity."""

    keep: Literal["longest", "first", "oldest", "best"] = "longest"
    """Which of several duplicates stays: the longest text (then the longest row), the earliest `created_at`, the
    highest `score`, or the first in the input. Ties go to the longest text, then by content; only with `first` does the
    order of rows count."""

    score: str = ""
    """Name of the score that `keep: best` goes by; samples without it come last."""

    semantic: Semantic | None = None
    """Also drop rows that say the same in other words; `{}` takes the defaults."""

    substring: Substring | None = None
    """Also find long passages that rows share, after all else; `{}` takes the defaults."""

    against: list[Source] = []
    """Datasets of the store that must not be repeated, as uris of their folders or of `.../latest`: a row that repeats
    one of theirs is dropped, with it as its partner."""

    previous: Source | None = None
    """An earlier result of this stage, or any dataset made from one, such as the published `.../latest`: rows that it
    kept and that are still here come first in preference. Made with the same settings, its decisions stand, and only
    new rows are compared. Nothing there yet is no error, so a recipe can name its own last version."""

    remember: bool = Field(True, json_schema_extra=RUNTIME)
    """Keep digests and sketches (about 230 bytes a row) beside the rows, for a later run to read as `previous`."""

    seed: int = Field(1, ge=0, le=2**32 - 1)
    """Seed of the hash functions (0 to 4,294,967,295)."""

    workers: int = Field(0, ge=0, le=256, json_schema_extra=RUNTIME)
    """Threads (1 to 256); 0 means one per core."""

    @model_validator(mode="after")
    def _best_by_a_score(self) -> Self:
        if (self.keep == "best") != bool(self.score):
            raise ValueError("`keep: best` and the name of a `score` go together")
        return self


def sources_of(config: DeduplicateConfig) -> list[Source]:
    """All that deduplicate reads beside its rows: datasets, then the encoder's folder."""
    return [*stored_datasets(config), *(config.semantic.embedding.sources() if config.semantic else [])]


def stored_datasets(config: DeduplicateConfig) -> list[StoredDataset]:
    """The datasets that deduplicate reads beside its rows: those of `against`, then `previous`."""
    found = [StoredDataset(uri=source.uri) for source in config.against]
    if config.previous:
        wanted = {"stage": "deduplicate", "field": config.field, "optional": True}
        found.append(StoredDataset(uri=config.previous.uri, **wanted))
    return found
