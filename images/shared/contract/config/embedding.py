"""embedding: which encoder turns texts into vectors; used by the stages that compare meanings."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import Config, Source


class Embedding(Config):
    """An encoder: fastText vectors trained on the rows themselves, or a sentence-transformer as an ONNX folder."""

    encoder: Literal["fasttext", "sentence_transformer"] = "fasttext"
    """`fasttext` trains word vectors on the rows at hand and needs nothing else; `sentence_transformer` runs the model
    in the folder `model`, on all cores."""

    model: str = ""
    """Folder of a sentence-transformer with its ONNX export (`onnx/model.onnx` or `model.onnx`, `tokenizer.json`,
    `1_Pooling/config.json`): `s3://bucket/prefix`, `file:///path`, or a path relative to the store's root."""

    dimension: int = Field(100, ge=8, le=1000)
    """Width of fastText vectors (8 to 1,000)."""

    training_words: int = Field(5_000_000, ge=1_000, le=1_000_000_000)
    """Words that fastText is trained on at most (1,000 to 1,000,000,000); beyond, rows are sampled by their content."""

    epochs: int = Field(1, ge=1, le=100)
    """How often fastText reads them (1 to 100)."""

    @model_validator(mode="after")
    def _model_where_needed(self) -> Self:
        if (self.encoder == "sentence_transformer") != bool(self.model):
            need = "names no folder in `model`" if not self.model else "takes no `model`"
            raise ValueError(f"encoder {self.encoder!r} {need}; expected a folder exactly with 'sentence_transformer'")
        return self

    def sources(self) -> list[Source]:
        """The folder whose content decides the vectors, if there is one."""
        return [Source(uri=self.model)] if self.model else []
