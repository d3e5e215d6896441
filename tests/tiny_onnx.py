"""A sentence-transformer small enough to read: each token has a vector of its own, written as an ONNX file by hand.

The bytes follow the ONNX format's published message definitions (protocol buffers), so that no package that writes
them is needed: the graph is one `Gather` of a table by `input_ids`.
"""

import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

FLOAT, INT64 = 1, 7


def write_model(folder: Path, vectors: dict[str, list[float]], pooling: str = "mean_tokens", longest: int = 16) -> Path:
    """A model folder in which each word stands for the vector given; other words have that of `[UNK]`."""
    vocabulary = {word: number for number, word in enumerate(vectors)}
    table = np.array(list(vectors.values()), np.float32)
    (folder / "onnx").mkdir(parents=True)
    (folder / "1_Pooling").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(gather_model(table))
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = Lowercase(), Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    types = [f"sentence_transformers.models.{name}" for name in ("Transformer", "Pooling", "Normalize")]
    _json(folder / "modules.json", [{"type": name} for name in types])
    _json(folder / "sentence_bert_config.json", {"max_seq_length": longest})
    modes = {
        f"pooling_mode_{name}": name == pooling for name in ("cls_token", "mean_tokens", "max_tokens", "lasttoken")
    }
    _json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": table.shape[1], **modes})
    return folder


def gather_model(table: np.ndarray) -> bytes:
    """An ONNX model with input `input_ids` (texts, tokens) and output `last_hidden_state` (texts, tokens, width)."""
    shape = b"".join(_number(1, size) for size in table.shape)
    tensor = shape + _number(2, FLOAT) + _text(8, "table") + _bytes(9, table.tobytes())
    node = _text(1, "table") + _text(1, "input_ids") + _text(2, "last_hidden_state") + _text(4, "Gather")
    graph = _bytes(1, node) + _text(2, "tiny") + _bytes(5, tensor)
    graph += _bytes(11, _value("input_ids", INT64, ["texts", "tokens"]))
    graph += _bytes(12, _value("last_hidden_state", FLOAT, ["texts", "tokens", table.shape[1]]))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, 17))


def _value(name: str, kind: int, shape: list[str | int]) -> bytes:
    sizes = [_number(1, size) if isinstance(size, int) else _text(2, size) for size in shape]
    tensor = _number(1, kind) + _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))
