"""semantic: how rows that say the same in other words are found and which of them stays."""

from typing import Literal

from pydantic import Field

from contract.config.base import Config
from contract.config.embedding import Embedding


class Semantic(Config):
    """Rows whose vectors have a cosine of `threshold` or more are duplicates; each that goes names a kept row that
    really is that near."""

    threshold: float = Field(0.9, ge=0.1, le=1)
    """Smallest cosine that counts as a duplicate (0.1 to 1). What it means depends on the encoder: fastText
    vectors of one corpus put texts with a fifth of their words changed at 0.9 and more; SemDeDup (Abbas et al. 2023)
    and its successors use 0.9 to 0.99 with transformers."""

    grouping: Literal["pairs", "kmeans", "dbscan", "hierarchical"] = "pairs"
    """Which rows are compared. `pairs`: all with all; beyond 30,000 rows those that share one of their three nearest
    k-means centres. `kmeans`: those of one k-means cluster, as in SemDeDup. `dbscan`: those of one dense region.
    `hierarchical`: those of one group in which every two rows reach the threshold (complete linkage)."""

    clusters: int = Field(0, ge=0, le=1_000_000)
    """k-means clusters (0 to 1,000,000); 0 means one per 5,000 rows."""

    neighbours: int = Field(2, ge=2, le=1000)
    """`dbscan` only: rows within the threshold, itself included, that make a row part of a dense region (2 to
    1,000)."""

    keep: Literal["preferred", "centroid", "most_distant"] = "preferred"
    """Which of a group stays: the row that the stage's own `keep` prefers, the one nearest to the group's centroid, or
    the one farthest from it, as SemDeDup does."""

    embedding: Embedding = Embedding()
    """The encoder."""
