"""The encoder that a config asks for."""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from contract.config.embedding import Embedding
from contract.failures import BadInput
from curate.embed.embedder import Embedder
from stagekit.store import open_store, resolve


def embedder(config: Embedding, texts: Callable[[], Iterable[str]], workers: int = 0) -> Embedder:
    """A sentence-transformer from its folder, or word vectors trained on the texts, which are asked for only then.

    Raises `BadInput` for a folder that is not there or not such a model.
    """
    if config.encoder == "fasttext":
        from curate.embed.skipgram import train

        return train(texts(), config)
    return sentence_transformer(config.model, workers)


def sentence_transformer(model: str, workers: int = 0) -> Embedder:
    """The sentence-transformer in a folder of the store; 0 workers means one thread per core.

    Raises `BadInput` for a folder that is not there or not such a model.
    """
    from curate.embed.transformer import SentenceTransformer

    address = resolve(model)
    if address.scheme == "file":
        if not Path(address.path).is_dir():
            raise BadInput("there is no such folder", expected="a sentence-transformer's folder", where=address.path)
        return SentenceTransformer(Path(address.path), workers)
    with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
        _download(model, Path(folder))
        return SentenceTransformer(Path(folder), workers)


def _download(uri: str, folder: Path) -> None:
    store = open_store(uri)
    for entry in store.list():
        if entry.name.endswith(".json") or ".onnx" in entry.name:
            copy, target = store.fetch(entry.name, folder), folder / entry.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if copy and copy != target:
                copy.rename(target)
