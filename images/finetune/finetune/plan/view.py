"""The template as people see it: samples rendered, with the tokens that are learned marked."""

import html
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from contract.records import Sample
from finetune.chat import encode

OPEN, CLOSE = "⟦", "⟧"
STYLE = "body{font:14px/1.5 monospace;max-width:60em;margin:2em auto}pre{white-space:pre-wrap}mark{background:#cdeccd}"


def spans(tokenizer: Any, sample: Sample) -> list[tuple[bool, str]]:
    """The rendered sample as runs of text, each with whether it is learned; joined they are what the tokens say."""
    encoded = encode(tokenizer, sample.messages)
    pairs = zip(encoded.mask, encoded.ids, strict=True)
    return [
        (learned, tokenizer.decode([token for _, token in run], skip_special_tokens=False))
        for learned, run in groupby(pairs, key=lambda pair: pair[0])
    ]


def as_text(tokenizer: Any, samples: Sequence[Sample]) -> str:
    """Plain text; what is learned stands in double brackets."""
    parts = [f"What is learned stands in {OPEN} {CLOSE}."]
    for sample in samples:
        runs = spans(tokenizer, sample)
        parts += [f"--- {sample.id}", "".join(f"{OPEN}{text}{CLOSE}" if learned else text for learned, text in runs)]
    return "\n".join(parts) + "\n"


def as_html(tokenizer: Any, samples: Sequence[Sample], template: str) -> str:
    """A page of its own; what is learned is marked."""
    blocks = []
    for sample in samples:
        runs = ((learned, html.escape(text)) for learned, text in spans(tokenizer, sample))
        body = "".join(f"<mark>{text}</mark>" if learned else text for learned, text in runs)
        blocks.append(f"<h2>{html.escape(sample.id)}</h2><pre>{body}</pre>")
    title = f"Template {html.escape(template)}: what is learned is marked"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title}</h1>{''.join(blocks)}</html>\n"
    )
