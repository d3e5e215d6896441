"""A sentence-transformer's folder: what has to be in it, and how it says that texts become vectors."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from contract.failures import BadInput

GRAPHS = ("onnx/model.onnx", "model.onnx")
EXPORT = (
    "export it with sentence-transformers[onnx]: `SentenceTransformer(NAME, backend='onnx').save_pretrained(FOLDER)`"
)
POOLINGS = ("mean", "cls", "max", "lasttoken")
PLAIN = ("Transformer", "Pooling", "Normalize")
LONGEST = 512  # tokens, where nothing in the folder says otherwise


class Layout(NamedTuple):
    """How a model reads texts: its graph, tokenizer (as JSON), longest input in tokens, pooling of the tokens'
    vectors, their width, and what is put before each text."""

    graph: Path
    tokenizer: str
    longest: int
    pooling: str
    dimension: int
    prompt: str


def layout_of(folder: Path) -> Layout:
    """Read a model's folder. Raises `BadInput` for what is missing, and for a model that needs more than pooling."""
    graph = next((folder / name for name in GRAPHS if (folder / name).is_file()), None)
    if graph is None:
        raise BadInput("no ONNX model", expected=" or ".join(GRAPHS), where=str(folder), hint=EXPORT)
    _check_modules(folder)
    pooling = _read(folder, "1_Pooling/config.json", needed=True)
    return Layout(
        graph,
        _tokenizer(folder),
        _longest(folder),
        _pooling(pooling, folder),
        int(pooling.get("word_embedding_dimension") or pooling["embedding_dimension"]),
        _prompt(folder),
    )


def _tokenizer(folder: Path) -> str:
    content = _read(folder, "tokenizer.json", needed=True)
    if not isinstance(content, dict) or "model" not in content:
        raise BadInput("tokenizer.json holds no tokenizer", expected="a fast tokenizer", where=str(folder))
    return json.dumps(content)


def _check_modules(folder: Path) -> None:
    modules = [str(module["type"]).rpartition(".")[2] for module in _read(folder, "modules.json", needed=True)]
    if modules[:2] != ["Transformer", "Pooling"] or not set(modules) <= set(PLAIN):
        raise BadInput(
            f"the model is {' -> '.join(modules)}", expected="Transformer -> Pooling (-> Normalize)", where=str(folder)
        )


def _pooling(config: dict[str, Any], folder: Path) -> str:
    """The pooling's name: stated as such since sentence-transformers 5, as a flag for each before."""
    chosen = [name.removeprefix("pooling_mode_") for name, on in config.items() if on is True and "_mode_" in name]
    stated = config.get("pooling_mode", chosen)
    chosen = [stated] if isinstance(stated, str) else list(stated)
    names = [name.removesuffix("_token").removesuffix("_tokens") for name in chosen]
    if len(names) != 1 or names[0] not in POOLINGS:
        raise BadInput(
            f"pooling is {' and '.join(names) or 'not given'}",
            expected=f"one of {', '.join(POOLINGS)}",
            where=f"{folder}/1_Pooling/config.json",
        )
    return names[0]


def _longest(folder: Path) -> int:
    stated = _read(folder, "sentence_bert_config.json").get("max_seq_length")
    stated = stated or _read(folder, "tokenizer_config.json").get("model_max_length")
    return int(stated) if stated and stated < 1_000_000 else LONGEST


def _prompt(folder: Path) -> str:
    config = _read(folder, "config_sentence_transformers.json")
    name = config.get("default_prompt_name")
    return str(config.get("prompts", {}).get(name, "")) if name else ""


def _read(folder: Path, name: str, needed: bool = False) -> Any:
    path = folder / name
    if not path.is_file():
        if needed:
            raise BadInput(f"no {name}", expected="a sentence-transformer's folder", where=str(folder))
        return {}
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise BadInput(f"{name} is not JSON ({error})", where=str(folder)) from None
