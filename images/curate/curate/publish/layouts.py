"""Samples in the layouts that training libraries load, one JSON object each."""

from collections.abc import Callable
from typing import Any

from contract.records import Sample

Line = dict[str, Any]


def openai(sample: Sample) -> list[Line]:
    """`messages`: a list of `role` and `content`."""
    return [{"messages": [{"role": message.role, "content": message.content} for message in sample.messages]}]


def sharegpt(sample: Sample) -> list[Line]:
    """`conversations`: a list of `from` and `value`."""
    names = {"system": "system", "user": "human", "assistant": "gpt"}
    return [{"conversations": [{"from": names[m.role], "value": m.content} for m in sample.messages]}]


def alpaca(sample: Sample) -> list[Line]:
    """`instruction`, `input`, `output`: the last question and its answer, with whatever came before as the input."""
    *before, question, answer = sample.messages
    context = "\n\n".join(f"{message.role.capitalize()}: {message.content}" for message in before)
    return [{"instruction": question.content, "input": context, "output": answer.content}]


def oasst(sample: Sample) -> list[Line]:
    """One line per message, each with its parent, as in OpenAssistant's message trees.

    What judges, raters and reviewers said of the sample are the `labels` of its last message, each counted once.
    """
    names = {"system": "system", "user": "prompter", "assistant": "assistant"}
    return [
        {
            "message_id": f"{sample.id}/{number}",
            "parent_id": f"{sample.id}/{number - 1}" if number else "",
            "message_tree_id": sample.id,
            "role": names[message.role],
            "text": message.content,
            "labels": _labels(sample.scores if number == len(sample.messages) - 1 else {}),
        }
        for number, message in enumerate(sample.messages)
    ]


def _labels(scores: dict[str, float]) -> dict[str, list[Any]]:
    names = sorted(scores)
    return {"name": names, "value": [scores[name] for name in names], "count": [1] * len(names)}


def text(sample: Sample) -> list[Line]:
    """`text`: the messages one after another, for continued pre-training."""
    return [{"text": "\n\n".join(message.content for message in sample.messages)}]


LAYOUTS: dict[str, Callable[[Sample], list[Line]]] = {
    "openai": openai,
    "sharegpt": sharegpt,
    "alpaca": alpaca,
    "oasst": oasst,
    "text": text,
}
