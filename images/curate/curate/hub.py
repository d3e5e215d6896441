"""Data sets on the Hugging Face Hub, streamed row by row through `datasets`, at one commit.

The Hub's own client reads `HF_ENDPOINT` and `HF_TOKEN` from the environment.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from datasets import load_dataset
from datasets.exceptions import DatasetsError
from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from contract.config.ingest import Hub
from contract.failures import BadConfig, BadInput, Failure, RemoteTrouble
from contract.keys import digest
from curate.found import Found
from curate.spdx import spdx_id

TROUBLE = (HTTPError, DatasetsError, OSError, ValueError)
"""All that the Hub's client and `datasets` raise for what is not there, closed, malformed or unreachable."""
NO_LICENSE = ("other", "unknown")
REFUSED = (401, 403)
TOKEN = "set HF_TOKEN to a token that may read it"


def commit_of(uri: str, revision: str) -> str:
    """The commit that a branch or tag stands for now.

    Raises `BadInput` where there is no such data set or revision, `BadConfig` where the token may not read it, and
    `RemoteTrouble` where the Hub does not answer.
    """
    try:
        found: str | None = HfApi().dataset_info(_name(uri), revision=revision).sha
    except TROUBLE as error:
        raise _failure(error, uri, f"revision {revision!r}") from None
    if not found:
        raise RemoteTrouble("the Hub names no commit", where=uri)
    return found


def content_hash(uri: str, hub: Hub, commit: str) -> str:
    """A hash of what will be read: commits never change."""
    return digest({"dataset": uri, "commit": commit, **hub.model_dump(exclude={"revision"})})


class HubRows:
    """The rows of one split at one commit, as records. Pictures and sounds are not decoded."""

    def __init__(self, uri: str, hub: Hub, commit: str) -> None:
        self.uri, self.hub, self.commit = uri, hub, commit
        self.license = _license(uri, commit)
        self.figures: dict[str, float] = {}

    def __iter__(self) -> Iterator[Iterator[Found]]:
        """All rows, as the records of one file."""
        yield self._records()

    def _records(self) -> Iterator[Found]:
        where = f"{_name(self.uri)} {self.hub.split}"
        try:
            for number, row in enumerate(islice(self._rows(), self.hub.take), 1):
                yield Found(f"{where} row {number}", row)
        except TROUBLE as error:
            raise _failure(error, self.uri, f"split {self.hub.split!r}") from None

    def _rows(self) -> Iterable[dict[str, Any]]:
        config, revision = self.hub.config or None, self.commit
        rows = load_dataset(_name(self.uri), config, split=self.hub.split, revision=revision, streaming=True)
        return rows.decode(False)  # type: ignore[no-any-return]


def _license(uri: str, commit: str) -> str | None:
    """The licence that the data set's card states, where it is one licence with a name."""
    try:
        card = HfApi().dataset_info(_name(uri), revision=commit).card_data
    except TROUBLE as error:
        raise _failure(error, uri, f"commit {commit!r}") from None
    stated = card.get("license") if card else None
    return spdx_id(stated) if isinstance(stated, str) and stated not in NO_LICENSE else None


def _name(uri: str) -> str:
    return uri.removeprefix("hub://")


def _failure(error: Exception, uri: str, what: str) -> Failure:
    """A client's error as one of ours."""
    status = (
        getattr(getattr(error, "response", None), "status_code", None) if isinstance(error, HfHubHTTPError) else None
    )
    if isinstance(error, GatedRepoError) or status in REFUSED:
        return BadConfig("the Hub does not let us read this data set", where=uri, hint=TOKEN)
    if isinstance(error, RepositoryNotFoundError):
        return BadInput("the Hub has no such data set, or it is private", where=uri, hint=f"check the name, or {TOKEN}")
    if isinstance(error, RevisionNotFoundError):
        return BadInput(f"the data set has no {what}", where=uri)
    if isinstance(error, LocalEntryNotFoundError):
        return RemoteTrouble("the Hub does not answer", where=uri, hint="run again later")
    said = " ".join(str(error).split())[:300]
    if isinstance(error, DatasetsError | FileNotFoundError | ValueError):
        return BadInput(f"{what} cannot be read: {said}", where=uri)
    return RemoteTrouble(f"the Hub does not answer ({type(error).__name__})", where=uri, hint="run again later")
