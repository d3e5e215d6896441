"""Putting a champion on the Hugging Face Hub, once: a tag there names the export that it was made from."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from contract.failures import BadConfig, RemoteTrouble
from finetune.exported import PARITY

REFUSED = {401, 403, 404}


def push_to_hub(folder: Path, repository: str, private: bool, content_hash: str, log: logging.Logger) -> None:
    """Upload an exported model, unless its tag says that it is there; what servers are checked with stays here, since
    it holds samples of the test split.

    A repository that exists keeps the visibility it has. Raises `BadConfig` without a token or rights, `RemoteTrouble`
    when the hub does not answer.
    """
    token = os.environ.get("HF_TOKEN")
    if not token:
        raise BadConfig(
            "`register.hub` is set but HF_TOKEN is not", where=repository, hint="a token that may write there"
        )
    api, tag = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token), f"nocturne-{content_hash[:12]}"
    with _hub(repository):
        api.create_repo(repository, private=private, exist_ok=True)
        if tag in {ref.name for ref in api.list_repo_refs(repository).tags}:
            return
        commit = api.upload_folder(
            repo_id=repository, folder_path=folder, ignore_patterns=[PARITY], commit_message=f"Nocturne {content_hash}"
        )
        api.create_tag(repository, tag=tag, revision=commit.oid, exist_ok=True)
    log.info("on the hub", extra={"fields": {"repository": repository, "tag": tag, "private": private}})


@contextmanager
def _hub(repository: str) -> Iterator[None]:
    """Turn what the hub's client raises inside the block into the house's failures."""
    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        said = str(error).strip().partition("\n")[0][:200]
        if status in REFUSED:
            hint = "a token in HF_TOKEN that may write to that repository"
            raise BadConfig(f"the hub refuses: {said}", where=repository, hint=hint) from None
        raise RemoteTrouble(f"the hub does not take the model: {said}", where=repository) from None
    except (httpx2.HTTPError, OSError) as error:
        raise RemoteTrouble(f"the hub does not answer: {error}", where=repository) from None
