"""An exported model: loading it as a user would, and the conversations by which any place that serves it is checked."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transformers import AutoModelForCausalLM

from contract.records import Message, Sample
from finetune.chat import encode

PARITY = "parity.json"
ANSWER_TOKENS = 16
"""Length of a checked answer (tokens): a wrong template or weight shows within a few."""


@dataclass(frozen=True)
class Exchange:
    """One conversation of the test split up to an answer: the ids that training saw before that answer, and the text
    that the model answers when it always takes the likeliest token, at most `ANSWER_TOKENS` of them."""

    messages: list[dict[str, str]]
    ids: list[int]
    answer: str


def load_exported(folder: Path) -> Any:
    """An exported model as a user would load it, on the CPU."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype="auto").eval()


def trained_prompt(tokenizer: Any, sample: Sample) -> tuple[list[Message], list[int]]:
    """A conversation up to its last answer, with the ids that stand before that answer in what is trained.

    They are cut from the whole rendered conversation and not rendered as a prompt, so that comparing them with what a
    server renders compares two ways of getting there.
    """
    last = max(i for i, message in enumerate(sample.messages) if message.role == "assistant")
    encoded = encode(tokenizer, sample.messages[: last + 1])
    end = max(i for i, said in enumerate(encoded.mask) if said)
    start = next((i for i in range(end, -1, -1) if not encoded.mask[i]), -1) + 1
    return list(sample.messages[:last]), encoded.ids[:start]


def write_parity(folder: Path, exchanges: Sequence[Exchange]) -> None:
    """Put the conversations beside the weights."""
    text = json.dumps([asdict(exchange) for exchange in exchanges], indent=1, ensure_ascii=False)
    (folder / PARITY).write_text(text, encoding="utf-8")


def read_parity(folder: Path) -> list[Exchange]:
    """The conversations of a model folder; none where it was made before they were kept."""
    path = folder / PARITY
    return [Exchange(**item) for item in json.loads(path.read_text(encoding="utf-8"))] if path.is_file() else []
