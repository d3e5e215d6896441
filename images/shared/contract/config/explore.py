"""explore: statistics, topics with a map, and a report of the way the rows went."""

from typing import Literal

from pydantic import Field

from contract.config.base import Config, Source, StageConfig
from contract.config.embedding import Embedding


class Topics(Config):
    """What the samples are about: vectors of texts -> fewer dimensions -> clusters -> labels from their own terms."""

    field: Literal["instruction", "answer", "conversation"] = "conversation"
    """Which text counts: the `instruction`, the `answer`, or all messages; its first 4,000 characters."""

    embedding: Embedding | None = None
    """An encoder for the vectors, `{}` for fastText learnt from the samples; null takes TF-IDF of their words."""

    dimensions: int = Field(50, ge=2, le=500)
    """Dimensions that vectors are reduced to before they are clustered, by truncated SVD (2 to 500)."""

    method: Literal["kmeans", "hdbscan", "dbscan"] = "kmeans"
    """How vectors are clustered. `kmeans` gives each sample a topic; `hdbscan` (half a minute for 20,000 samples) and
    `dbscan` find dense regions, as many as there are, and leave samples between them without a topic."""

    count: int = Field(0, ge=0, le=100)
    """`kmeans` only: number of topics (0 to 100); 0 means the square root of a tenth of the samples, 2 to 24."""

    least: int = Field(0, ge=0, le=100_000)
    """`hdbscan`: samples of the smallest topic; `dbscan`: samples within `distance` that make a region dense (0 to
    100,000). 0 means one per cent of the samples, at least 5."""

    distance: float = Field(0.5, gt=0, le=2)
    """`dbscan` only: Euclidean distance of two vectors of length 1 within which they are neighbours (above 0, to 2)."""

    terms: int = Field(8, ge=1, le=50)
    """Terms listed for each topic (1 to 50); the first three are its label."""

    layout: Literal["pca", "tsne"] = "tsne"
    """How the map is laid out: `pca` takes the two directions in which vectors differ most, `tsne` keeps near ones
    together (a second or two for 1,000 points)."""

    points: int = Field(1_000, ge=0, le=5_000)
    """Samples shown on the map at most (0 to 5,000); 0 leaves it out."""

    seed: int = Field(1, ge=0, le=2**32 - 1)
    """Seed of SVD, k-means and t-SNE (0 to 4,294,967,295)."""


class ExploreConfig(StageConfig):
    """Statistics, topics, the funnel of rows through the stages, and examples, in one HTML file and JSON beside it."""

    examples: int = Field(5, ge=0, le=100)
    """Examples shown of each kind (0 to 100)."""

    sample: int = Field(20_000, ge=10, le=100_000)
    """Samples that topics and languages rest on at most, drawn by hashes of their ids (10 to 100,000). The report says
    how many; all other figures are of all samples."""

    languages: bool = True
    """Identify the languages of answers, by fastText's published small model for 176 of them."""

    topics: Topics | None = Topics()
    """Topics and their map; null leaves them out."""


def explore_sources(config: ExploreConfig) -> list[Source]:
    """The encoder's folder, if there is one."""
    return config.topics.embedding.sources() if config.topics and config.topics.embedding else []
