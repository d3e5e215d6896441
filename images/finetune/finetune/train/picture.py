"""The curves as one picture: losses, gradient norm and learning rate over steps, with the sentence that reads them."""

import io
import textwrap
from collections.abc import Sequence
from typing import Any

from finetune.train.curves import Entry, Reading, curve

PANELS = (
    ("loss (nats per token)", (("train_loss", "train", "#9aa5b1"), ("eval_loss", "test", "#c2410c"))),
    ("gradient norm", (("grad_norm", "gradient norm", "#2563eb"),)),
    ("learning rate", (("learning_rate", "learning rate", "#15803d"),)),
)
LINE = 110


def draw_curves(history: Sequence[Entry], reading: Reading) -> str:
    """An SVG of three panels; the same history gives the same text."""
    import matplotlib  # half a second that only a finished training needs
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "nocturne", "font.size": 9, "axes.grid": True, "grid.alpha": 0.3}):
        figure = Figure(figsize=(9, 7.5), layout="constrained")
        figure.suptitle(textwrap.fill(reading.sentence, LINE), fontsize=10)
        axes = figure.subplots(3, 1, sharex=True, height_ratios=[2, 1, 1])
        for axis, (label, lines) in zip(axes, PANELS, strict=True):
            _panel(axis, label, [(curve(history, name), title, colour) for name, title, colour in lines])
        _mark(axes[0], reading)
        axes[-1].set_xlabel("step")
        text = io.StringIO()
        FigureCanvasSVG(figure).print_svg(text, metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _panel(axis: Any, label: str, lines: Sequence[tuple[list[tuple[int, float]], str, str]]) -> None:
    axis.set_ylabel(label)
    for points, title, colour in lines:
        if points:
            marker = "o" if title == "test" else None
            axis.plot(*zip(*points, strict=True), label=title, color=colour, marker=marker, markersize=4)
    if axis.lines and len(lines) > 1:
        axis.legend(frameon=False)


def _mark(axis: Any, reading: Reading) -> None:
    """A line where the verdict begins, and one at each spike."""
    for step in reading.spikes:
        axis.axvline(step, color="#b91c1c", linewidth=0.6, alpha=0.5)
    if reading.step is not None:
        axis.axvline(reading.step, color="#111827", linestyle="--", linewidth=1)
