"""Putting a published dataset on the Hugging Face Hub, once: a tag there names the content that it was made from."""

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from contract.config.publish import PublishConfig
from contract.failures import BadConfig, RemoteTrouble
from curate.publish.preferences import FOLDER as PREFERENCES
from stagekit.dataset import Dataset

CARD, ROWS = "README.md", "data"
REFUSED = {401, 403, 404}
KIND = "dataset"


def push_to_hub(dataset: Dataset, config: PublishConfig, log: logging.Logger) -> None:
    """Upload rows, layouts, preferences and card in the place of an earlier version's, unless this one is there.

    Ledger, preview, report and manifest stay here: they show rows that were dropped, maybe for good reasons, and places
    of the house. A repository that exists keeps the visibility it has. Raises `BadConfig` without a token or rights,
    `RemoteTrouble` when the Hub does not answer.
    """
    token = os.environ.get("HF_TOKEN")
    if not token:
        hint = "a token that may write there"
        raise BadConfig("`publish.hub` is set but HF_TOKEN is not", where=config.hub, hint=hint)
    tag = f"nocturne-{dataset.manifest.content_hash[:12]}"
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token)
    with _failures(config.hub):
        api.create_repo(config.hub, repo_type=KIND, private=config.hub_private, exist_ok=True)
        if tag in {ref.name for ref in api.list_repo_refs(config.hub, repo_type=KIND).tags}:
            return
        with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
            commit = _upload(api, dataset, config, Path(folder))
        api.create_tag(config.hub, repo_type=KIND, tag=tag, revision=commit, exist_ok=True)
    log.info("on the hub", extra={"fields": {"repository": config.hub, "tag": tag, "private": config.hub_private}})


def _upload(api: HfApi, dataset: Dataset, config: PublishConfig, folder: Path) -> str:
    """One commit; its id."""
    folders = tuple(f"{name}/" for name in (ROWS, PREFERENCES, *config.formats))
    dataset.link_into(folder, lambda path: path == CARD or path.startswith(folders))
    commit = api.upload_folder(
        repo_id=config.hub,
        repo_type=KIND,
        folder_path=folder,
        delete_patterns=[f"{name}*" for name in folders],
        commit_message=f"Nocturne {dataset.manifest.content_hash}",
    )
    return str(commit.oid)


@contextmanager
def _failures(repository: str) -> Iterator[None]:
    """Turn what the Hub's client raises inside the block into the house's failures."""
    try:
        yield
    except HfHubHTTPError as error:
        said = str(error).strip().partition("\n")[0][:200]
        if error.response is not None and error.response.status_code in REFUSED:
            hint = "a token in HF_TOKEN that may write to that repository"
            raise BadConfig(f"the hub refuses: {said}", where=repository, hint=hint) from None
        raise RemoteTrouble(f"the hub does not take the dataset: {said}", where=repository) from None
    except (httpx2.HTTPError, OSError) as error:
        raise RemoteTrouble(f"the hub does not answer: {error}", where=repository) from None
