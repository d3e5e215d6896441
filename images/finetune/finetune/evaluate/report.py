"""The comparison as files to read: all of it as JSON, and a page of Markdown."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from finetune.evaluate.comparison import Comparison
from finetune.evaluate.style import LEAST, Style

SHOWN = 3
"""Answers on the Markdown page; the JSON and the HTML page have all of them."""

STYLE_NOTE = (
    "Delta is Burrows's: the mean distance of the rates of the author's most frequent words, in standard deviations; "
    f"lower is closer, and the author's own other answers show how close one can come. Below {LEAST} words on either "
    "side it is not told, and below some thousands small differences mean nothing."
)


def as_json(comparison: Comparison) -> str:
    """All figures, the gate's conditions, the verdict, styles, and every answer."""
    whole = comparison.metrics() | {
        "verdict": comparison.verdict.sentence,
        "checks": [asdict(check) | {"passed": check.passed} for check in comparison.checks],
        "style": {title: measured.as_dict() for title, measured in styles(comparison)},
        "answers": list(_answers(comparison)),
    }
    return json.dumps(whole, indent=1, ensure_ascii=False)


def as_markdown(comparison: Comparison) -> str:
    """What one reads first: verdict, gate, tables, a few answers."""
    lines = [
        "# Base against tuned",
        "",
        f"**{comparison.verdict.sentence}**",
        "",
        f"Gate {comparison.gate}: {'; '.join(map(str, comparison.checks))}.",
        "",
        f"Test split, {comparison.base.loss.tokens:,} learned tokens, the same template for all"
        f"{prompted_note(comparison)}.",
        "",
        *_table(("", *LOSS_COLUMNS), loss_table(comparison)),
        "",
        *_forgetting(comparison),
        "## Style",
        "",
        *_table(("", *STYLE_COLUMNS), style_table(comparison)),
        "",
        STYLE_NOTE,
    ]
    for number, sample in enumerate(comparison.asked[:SHOWN]):
        lines += ["", f"## {sample.instruction}", "", "**In the data**", "", _quoted(sample.answer)]
        for contestant in comparison.contestants:
            lines += ["", f"**{contestant.title}**", "", _quoted(contestant.measured.answers[number].text)]
    return "\n".join(lines).rstrip() + "\n"


LOSS_COLUMNS = ("loss (nats per token)", "perplexity", "without an end", "longest copy (words)")
STYLE_COLUMNS = ("words", "words per sentence", "letters per word", "marks per 100 words", "Delta")


def loss_table(comparison: Comparison) -> list[tuple[str, ...]]:
    """A row for each contestant, in the order of `LOSS_COLUMNS`."""
    return [
        (
            contestant.title,
            f"{contestant.loss.nats:.4f}",
            f"{contestant.loss.perplexity:,.2f}",
            f"{contestant.measured.runaways} of {len(contestant.measured.answers)}",
            str(contestant.longest_copy),
        )
        for contestant in comparison.contestants
    ]


def style_table(comparison: Comparison) -> list[tuple[str, ...]]:
    """A row for each whose words were measured, in the order of `STYLE_COLUMNS`."""
    return [
        (
            title,
            f"{style.words:,}",
            f"{style.sentence_length:.1f}",
            f"{style.word_length:.2f}",
            f"{style.marks:.1f}",
            "" if style.delta is None else f"{style.delta:.2f}",
        )
        for title, style in styles(comparison)
    ]


def styles(comparison: Comparison) -> list[tuple[str, Style]]:
    """The author's style first, then each contestant's."""
    words = comparison.words
    return [
        ("In the data", words.reference),
        ("The author's other answers", words.again),
        *((contestant.title, contestant.style) for contestant in comparison.contestants),
    ]


def prompted_note(comparison: Comparison) -> str:
    """How many examples the few-shot prompts had, where there were any."""
    return f"; few-shot: {comparison.examples:.1f} examples on average" if comparison.prompted else ""


def forgetting_sentence(comparison: Comparison) -> str:
    """What became of the loss on general text; empty where that was not measured."""
    found = comparison.forgetting
    if found is None:
        return ""
    what = "rose" if found.nats > 0 else "fell"
    return (
        f"On general text ({found.base.tokens:,} tokens) the loss {what} by {abs(found.nats):.4f}, from "
        f"{found.base.nats:.4f} to {found.tuned.nats:.4f} nats per token."
    )


def _forgetting(comparison: Comparison) -> list[str]:
    sentence = forgetting_sentence(comparison)
    return [sentence, ""] if sentence else []


def _answers(comparison: Comparison) -> Iterator[dict[str, object]]:
    for number, sample in enumerate(comparison.asked):
        said: dict[str, object] = {"id": sample.id, "instruction": sample.instruction, "reference": sample.answer}
        for contestant in comparison.contestants:
            answer, copied = contestant.measured.answers[number], contestant.copied[number]
            said[contestant.name] = asdict(answer) | {"copied_words": copied.words, "copied": copied.text}
        yield said


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in (text or "(nothing)").splitlines())
