"""The template as people see it: samples rendered, with the tokens that are learned marked."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from contract.config.finetune import Training
from contract.records import Sample
from finetune.chat import encode

OPEN, CLOSE = "⟦", "⟧"
STYLE = (
    "body{font:14px/1.5 monospace;max-width:60em;margin:2em auto}pre{white-space:pre-wrap}mark{background:#cdeccd}"
    "del{color:#a33}"
)


@dataclass(frozen=True)
class Shown:
    """A rendered sample: its tokens as runs, each with whether it is learned; the text that is cut off; and counts."""

    id: str
    runs: list[tuple[bool, str]]
    cut: str
    tokens: int
    learned: int

    @property
    def title(self) -> str:
        """Its id and counts."""
        return f"{self.id}: {self.tokens} tokens, {self.learned} learned"


def spans(tokenizer: Any, sample: Sample, max_length: int | None = None) -> list[tuple[bool, str]]:
    """The rendered sample as runs of text, each with whether it is learned; joined they are what the tokens say."""
    encoded = encode(tokenizer, sample.messages)
    pairs = list(zip(encoded.mask, encoded.ids, strict=True))[:max_length]
    return [
        (learned, tokenizer.decode([token for _, token in run], skip_special_tokens=False))
        for learned, run in groupby(pairs, key=lambda pair: pair[0])
    ]


def show(tokenizer: Any, sample: Sample, training: Training) -> Shown:
    """A sample as `training` has it: rendered, masked, cut."""
    encoded, length = encode(tokenizer, sample.messages), training.max_length
    everything = training.loss_on == "everything"
    runs = spans(tokenizer, sample, length)
    return Shown(
        sample.id,
        [(True, "".join(text for _, text in runs))] if everything else runs,
        tokenizer.decode(encoded.ids[length:], skip_special_tokens=False),
        len(encoded.ids),
        len(encoded.ids[:length]) if everything else sum(encoded.mask[:length]),
    )


def as_text(samples: Sequence[Shown]) -> str:
    """Plain text; what is learned stands in double brackets, what is cut off is only counted."""
    parts = [f"What is learned stands in {OPEN} {CLOSE}."]
    for sample in samples:
        body = "".join(f"{OPEN}{text}{CLOSE}" if learned else text for learned, text in sample.runs)
        parts += [f"--- {sample.title}", body + (f" [cut off: {len(sample.cut)} characters]" if sample.cut else "")]
    return "\n".join(parts) + "\n"


def as_html(samples: Sequence[Shown], template: str) -> str:
    """A page of its own; what is learned is marked, what is cut off is struck through."""
    blocks = []
    for sample in samples:
        runs = ((learned, html.escape(text)) for learned, text in sample.runs)
        body = "".join(f"<mark>{text}</mark>" if learned else text for learned, text in runs)
        cut = f"<del>{html.escape(sample.cut)}</del>" if sample.cut else ""
        blocks.append(f"<h2>{html.escape(sample.title)}</h2><pre>{body}{cut}</pre>")
    title = f"Template {html.escape(template)}: what is learned is marked"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1>{''.join(blocks)}</html>\n"
    )
