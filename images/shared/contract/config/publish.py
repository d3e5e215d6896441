"""publish: split, write in the formats people load, and move `latest`."""

from typing import Literal

from pydantic import Field

from contract.config.base import RowsConfig

Layout = Literal["alpaca", "sharegpt", "openai", "oasst", "text"]


class PublishConfig(RowsConfig):
    """Splits without leaks and writes a dataset that `datasets.load_dataset` reads."""

    test_share: float = Field(0.05, ge=0, le=0.5)
    """Share of documents, and so of samples, for the test split (0 to 0.5); above 0 there is always a test sample."""

    near_duplicate: float = Field(0.7, ge=0.3, le=1.0)
    """Samples whose instruction or answer have this Jaccard similarity or more stay on one side (0.3 to 1)."""

    formats: list[Layout] = Field(["openai", "alpaca"], min_length=1)
    """Layouts written beside the Parquet rows, one JSONL file per split each."""

    title: str = ""
    """Title on the dataset card; empty means the recipe's name."""

    license: str = "unknown"
    """Licence on the dataset card, for samples that state none."""

    hub: str = Field("", max_length=200, pattern=r"^([\w.-]+/[\w.-]+)?$")
    """Where each version also goes on the Hugging Face Hub (`owner/name`), with HF_TOKEN: rows, layouts and card, and
    neither ledger nor report. Empty means nowhere."""

    hub_private: bool = True
    """Whether that repository is made a private one."""

    seed: int = Field(0, ge=0, le=2**32 - 1)
    """Seed of the split (0 to 4,294,967,295)."""
