"""A sentence-transformer run by ONNX Runtime (Reimers and Gurevych 2019, "Sentence-BERT")."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from contract.failures import BadInput
from curate.cores import cores
from curate.embed.embedder import Vectors, unit
from curate.embed.folder import EXPORT, Layout, layout_of
from stagekit.checksums import file_sha256

STEP = 16  # lengths are rounded up to a multiple of this many tokens, so that few shapes occur
TOKENS = 4096  # tokens run at once

Numbers = npt.NDArray[np.int64]


class SentenceTransformer:
    """An `Embedder` on a model's ONNX export; a text beyond the model's longest input is cut, as the model does.

    Texts of like length run together. Raises `BadInput` where graph, tokenizer and pooling do not fit each other.
    """

    def __init__(self, folder: Path, workers: int = 0) -> None:
        self._layout = layout_of(folder)
        self._tokenizer = _tokenizer(self._layout)
        self._graph = _Graph(self._layout, workers)
        self._graph.check(self._tokenizer.get_vocab_size(), self._layout)
        self.dimension = self._layout.dimension
        self.name = f"onnx-{file_sha256(self._layout.graph)[:20]}-{self._layout.longest}-{self._layout.pooling}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector per text, shape `(texts, dimension)`."""
        out = np.zeros((len(texts), self.dimension), np.float32)
        found = self._tokenizer.encode_batch([self._layout.prompt + text for text in texts])
        tokens = [encoding.ids if text.strip() else [] for text, encoding in zip(texts, found, strict=True)]
        for rows, width in _batches(tokens):
            ids, mask = _padded([tokens[row] for row in rows], min(width, self._layout.longest))
            out[rows] = pooled(self._graph.states(ids, mask), mask, self._layout.pooling)
        return unit(out)


class _Graph:
    """The model's graph: token numbers in, one vector per token out."""

    def __init__(self, layout: Layout, workers: int) -> None:
        import onnxruntime  # only here: it takes a quarter of a second to import

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = workers or cores()
        self._errors = _errors_of(onnxruntime)
        self._where = str(layout.graph)
        try:
            self._session = onnxruntime.InferenceSession(str(layout.graph), options, providers=["CPUExecutionProvider"])
        except self._errors as error:
            raise BadInput(f"the ONNX model cannot be loaded: {_line(error)}", where=self._where, hint=EXPORT) from None
        self._inputs = {item.name for item in self._session.get_inputs()}
        self._output = next((item.name for item in self._session.get_outputs() if len(item.shape) == 3), None)
        if self._output is None:
            raise BadInput("the ONNX model gives no vector per token", where=self._where, hint=EXPORT)

    def states(self, ids: Numbers, mask: Numbers) -> Vectors:
        """Vectors of all tokens, shape `(texts, tokens, width)`."""
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        wanted = {name: value for name, value in given.items() if name in self._inputs}
        states: Vectors = self._session.run([self._output], wanted)[0]
        return states

    def check(self, vocabulary: int, layout: Layout) -> None:
        """Run the first and the last token, which shows whether the sizes fit."""
        try:
            width = self.states(np.array([[0, vocabulary - 1]]), np.ones((1, 2), np.int64)).shape[-1]
        except self._errors as error:
            raise BadInput(
                f"the ONNX model does not run on the tokenizer's {vocabulary:,} tokens: {_line(error)}",
                expected="a model and a tokenizer that belong together",
                where=self._where,
            ) from None
        if width != layout.dimension:
            raise BadInput(
                f"the ONNX model's vectors have {width} numbers, 1_Pooling/config.json says {layout.dimension}",
                where=self._where,
            )


def pooled(states: Vectors, mask: Numbers, pooling: str) -> Vectors:
    """One vector per text from its tokens' vectors, of shape `(texts, tokens, width)`; the mask has ones for tokens."""
    if pooling == "cls":
        first: Vectors = states[:, 0]
        return first
    if pooling == "lasttoken":
        last: Vectors = states[np.arange(len(states)), mask.sum(axis=1) - 1]
        return last
    inside = mask[:, :, None].astype(np.float32)
    if pooling == "max":
        highest: Vectors = np.where(inside > 0, states, -np.inf).max(axis=1)
        return highest
    mean: Vectors = (states * inside).sum(axis=1) / inside.sum(axis=1)
    return mean


def _batches(tokens: list[list[int]]) -> Iterator[tuple[list[int], int]]:
    """Rows of one padded length, and that length, about `TOKENS` tokens at a time; rows without tokens in none."""
    by_width: dict[int, list[int]] = {}
    for row, ids in enumerate(tokens):
        if ids:
            by_width.setdefault(-(-len(ids) // STEP) * STEP, []).append(row)
    for width, rows in sorted(by_width.items()):
        size = max(1, TOKENS // width)
        for start in range(0, len(rows), size):
            yield rows[start : start + size], width


def _padded(tokens: list[list[int]], width: int) -> tuple[Numbers, Numbers]:
    ids = np.zeros((len(tokens), width), np.int64)
    mask = np.zeros_like(ids)
    for row, some in enumerate(tokens):
        ids[row, : len(some)], mask[row, : len(some)] = some, 1
    return ids, mask


def _tokenizer(layout: Layout) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(layout.tokenizer)
    tokenizer.no_padding()
    tokenizer.enable_truncation(layout.longest)
    return tokenizer


def _errors_of(runtime: Any) -> tuple[type[Exception], ...]:
    """The runtime's own exceptions have no common base but `Exception`."""
    state = runtime.capi.onnxruntime_pybind11_state
    names = "Fail InvalidArgument InvalidGraph InvalidProtobuf NoSuchFile NotImplemented RuntimeException"
    return tuple(getattr(state, name) for name in names.split())


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]
