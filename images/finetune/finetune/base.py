"""Where the base model is: made by the plan, in a folder, in a store, or on the hub."""

import atexit
import errno
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from transformers import AutoConfig, AutoTokenizer

from contract.config.finetune import is_folder
from contract.failures import BadInput, RemoteTrouble
from stagekit.store import open_store, resolve

TINY = "tiny"
WEIGHTS = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")


def base_folder(base_model: str, revision: str = "") -> Path:
    """A local folder with the files of a base model named in a recipe; what is remote is downloaded first.

    `revision` is the commit of the hub that a plan found, so that every later stage has the very same weights.
    Raises `BadInput` where it is missing, is no model or was cut off, `RemoteTrouble` where the hub does not answer.
    """
    folder = _from_store(base_model) if is_folder(base_model) else _from_hub(base_model, revision)
    if not (folder / "config.json").is_file():
        raise BadInput("no config.json, so this is no model", expected="a Hugging Face model folder", where=base_model)
    for path in sorted(folder.glob("*.safetensors")):
        _check_whole(path, base_model)
    return folder


def hub_revision(base_model: str, folder: Path) -> str:
    """The commit of the hub that a base model's folder holds; empty where it did not come from there."""
    return "" if base_model == TINY or is_folder(base_model) else folder.name


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model folder.

    Raises `BadInput` when it is missing or cannot say which characters a token covers.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as error:
        raise BadInput(f"no tokenizer can be loaded: {_first_line(error)}", where=str(folder)) from None
    if not tokenizer.is_fast:
        raise BadInput(
            "the tokenizer cannot map tokens to characters, so no loss mask can be made",
            expected="a fast tokenizer (tokenizer.json)",
            where=str(folder),
        )
    return tokenizer


def load_config(folder: Path) -> Any:
    """The model configuration in a folder. Raises `BadInput` for an architecture that transformers does not know."""
    try:
        return AutoConfig.from_pretrained(folder)
    except (OSError, ValueError, json.JSONDecodeError) as error:
        raise BadInput(f"the model's config cannot be read: {_first_line(error)}", where=str(folder)) from None


def check_vocabulary(tokenizer: Any, config: Any, added: int, where: str) -> None:
    """Every token id of the base's own tokenizer must have a row in its embedding.

    `added` counts tokens that the chat template brought. Raises `BadInput` with both numbers.
    """
    own = max(tokenizer.get_vocab().values()) + 1 - added
    if own > config.vocab_size:
        raise BadInput(
            f"the tokenizer has token ids up to {own - 1:,} but the model's embedding has {config.vocab_size:,} rows",
            expected="a tokenizer and a model that belong together",
            where=where,
        )


def _check_whole(path: Path, where: str) -> None:
    """A file of weights is eight bytes with the length of its header, the header, and the bytes that it lists."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length < size else b""
    try:
        listed = [tensor["data_offsets"][1] for name, tensor in json.loads(header).items() if name != "__metadata__"]
    except (ValueError, AttributeError, TypeError, KeyError):
        raise BadInput(f"{path.name} is no whole safetensors file ({size:,} bytes)", where=where) from None
    if size != (whole := 8 + length + max(listed, default=0)):
        raise BadInput(
            f"{path.name} has {size:,} bytes and should have {whole:,}", where=where, hint="download it again"
        )


def _from_store(base_model: str) -> Path:
    address = resolve(base_model)
    if address.scheme == "file":
        if not Path(address.path).is_dir():
            raise BadInput("there is no such folder", expected="a folder with a base model", where=address.path)
        return Path(address.path)
    store = open_store(address)
    target = Path(tempfile.mkdtemp(prefix="nocturne-base-"))
    atexit.register(shutil.rmtree, target, ignore_errors=True)
    for entry in store.list():
        path = store.fetch(entry.name, target)
        if path and path != target / entry.name:
            (target / entry.name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(target / entry.name)
    return target


def _from_hub(base_model: str, revision: str) -> Path:
    name, _, named = base_model.partition("@")
    try:
        return Path(snapshot_download(name, revision=revision or named or None, allow_patterns=list(WEIGHTS)))
    except HFValidationError:
        raise BadInput(
            f"{base_model!r} cannot be a model of the hub",
            expected="`owner/name` or `owner/name@revision`; a folder begins with `/`, `./`, `file://` or `s3://`",
            where="training.base_model",
        ) from None
    except GatedRepoError:
        raise BadInput(
            f"the hub shows {name!r} to those alone who accepted its licence",
            hint="accept it on the model's page, then set HF_TOKEN to a token of that account",
        ) from None
    except RepositoryNotFoundError:
        raise BadInput(f"the hub has no model {name!r}, or it is not open to you", hint="set HF_TOKEN") from None
    except RevisionNotFoundError:
        raise BadInput(
            f"the hub's model {name!r} has no revision {revision or named!r}",
            expected="a branch, a tag or a commit",
            where="training.base_model",
        ) from None
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
        raise RemoteTrouble(
            f"{'the base model cannot be stored' if full else 'the model hub does not answer'}: {_first_line(error)}",
            where=base_model,
            hint="room and rights where HF_HOME is" if full else "`base_model: tiny`, or a folder, needs no hub",
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
