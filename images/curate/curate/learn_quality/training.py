"""The classifier: a supervised fastText model (Joulin et al. 2017, "Bag of tricks for efficient text classification").

DCLM (Li et al. 2024) filters web pages by such a model, trained on good and arbitrary texts with word bigrams.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract.config.learn_quality import LearnQualityConfig
from contract.keys import digest
from curate.language import PREFIX
from curate.learn_quality.examples import Example

HIGH, LOW = "high", "low"
BROKEN_PREFIX = PREFIX.replace("label", "label ")


def train(examples: Sequence[Example], config: LearnQualityConfig, path: Path) -> None:
    """Write a model with the labels `high` and `low`; the same examples in any order give the same bytes.

    One thread and a fixed seed, since fastText's threads race for the same numbers. Equal to the last bit where
    processor and fastText build are equal.
    """
    import fasttext  # only here: it takes a quarter of a second to import

    with tempfile.TemporaryDirectory(prefix="nocturne-") as folder:
        texts = Path(folder) / "examples.txt"
        _write(examples, texts)
        model: Any = fasttext.train_supervised(
            str(texts), dim=config.dimension, epoch=config.epochs, lr=config.learning_rate, wordNgrams=config.ngram,
            bucket=config.buckets, minCount=1, thread=1, seed=config.seed, loss="softmax", verbose=0,
        )  # fmt: skip
    model.save_model(str(path))


def _write(examples: Sequence[Example], path: Path) -> None:
    """One example a line, in the order of their contents' hashes, which mixes the labels."""
    with path.open("w", encoding="utf-8", errors="replace") as file:
        for example in sorted(examples, key=lambda example: digest([example.text, example.high])):
            text = example.text.replace("\n", " ")  # as a line end ends a text when the model is asked
            text = text.replace(PREFIX, BROKEN_PREFIX)  # else it could label itself
            file.write(f"{PREFIX}{HIGH if example.high else LOW} {text}\n")
