"""A model in memory that answers conversations, one at a time. Nothing here knows of HTTP."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from contract.failures import BadInput
from finetune.base import load_tokenizer
from finetune.exported import load_exported

Message = dict[str, str]


class TooLong(ValueError):
    """A prompt and its answer do not fit into the model's context; the message has the numbers."""


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn: at temperature 0 always the likeliest token, at most `max_tokens` of them."""

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None


@dataclass(frozen=True)
class Answer:
    """An answer with its counts of tokens; `ended` says that the model ended it, and not the limit."""

    text: str
    prompt_tokens: int
    tokens: int
    ended: bool


@dataclass
class Served:
    """A model folder in memory."""

    tokenizer: Any
    model: Any
    _one: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        return int(getattr(self.model.config, "max_position_embeddings", None) or 2**20)

    @cached_property
    def ends(self) -> set[int]:
        """Token ids that end an answer."""
        found = self.model.generation_config.eos_token_id
        return set(found) if isinstance(found, list) else {found}

    def prompt_ids(self, messages: Sequence[Message]) -> list[int]:
        """Token ids of a conversation, by the template in the folder and nothing of ours: what any server gets."""
        encoded = self.tokenizer.apply_chat_template(
            list(messages), add_generation_prompt=True, tokenize=True, return_dict=True
        )
        return list(encoded["input_ids"])

    def answer(
        self, messages: Sequence[Message], sampling: Sampling, say: Callable[[str], None] | None = None
    ) -> Answer:
        """The model's answer; `say` gets each piece of its text as soon as it is there, and may end it by raising.

        Raises `TooLong` before anything is said.
        """
        prompt = self.prompt_ids(messages)
        if len(prompt) + sampling.max_tokens > self.context:
            raise TooLong(
                f"{len(prompt)} tokens of prompt and {sampling.max_tokens} of answer exceed the context, {self.context}"
            )
        with self._one, torch.inference_mode():
            if sampling.seed is not None:
                torch.manual_seed(sampling.seed)
            ids = torch.tensor([prompt], device=self.model.device)
            pieces = None if say is None else Pieces(self.tokenizer, say)
            mask = torch.ones_like(ids)
            drawn = self.model.generate(input_ids=ids, attention_mask=mask, streamer=pieces, **_options(sampling))
        said = drawn[0, len(prompt) :].tolist()
        text = self.tokenizer.decode(said, skip_special_tokens=True)
        return Answer(text, len(prompt), len(said), bool(said) and said[-1] in self.ends)


class Pieces:
    """Tells an answer's text piece by piece; together they are the text that the whole answer decodes to.

    `generate` calls `put` with the prompt, then with each token, and `end` after the last one.
    """

    def __init__(self, tokenizer: Any, say: Callable[[str], None]) -> None:
        self.tokenizer, self.say = tokenizer, say
        self._ids: list[int] | None = None
        self._said = ""

    def put(self, value: torch.Tensor) -> None:
        """A token; half a character is kept back until its other half has come."""
        if self._ids is None:
            self._ids = []  # that was the prompt
            return
        self._ids += value.tolist()
        text = self._text()
        if not text.endswith("\ufffd"):
            self._tell(text)

    def end(self) -> None:
        """All that was kept back."""
        self._tell(self._text())

    def _text(self) -> str:
        return str(self.tokenizer.decode(self._ids or [], skip_special_tokens=True))

    def _tell(self, text: str) -> None:
        if piece := text[len(self._said) :]:
            self.say(piece)
        self._said = text


def load_served(folder: Path) -> Served:
    """A model folder, on a GPU where there is one. Raises `BadInput` when it holds no model with a chat template."""
    tokenizer = load_tokenizer(folder)
    if not tokenizer.chat_template:
        raise BadInput("the model has no chat template", where=str(folder), hint="serve what `export` wrote")
    try:
        model = load_exported(folder)
    except (OSError, ValueError) as error:
        raise BadInput(f"no model can be loaded: {str(error).partition(chr(10))[0]}", where=str(folder)) from None
    return Served(tokenizer, model.to("cuda") if torch.cuda.is_available() else model)


def _options(sampling: Sampling) -> dict[str, Any]:
    if not sampling.temperature:
        return {"max_new_tokens": sampling.max_tokens, "do_sample": False}
    return {
        "max_new_tokens": sampling.max_tokens,
        "do_sample": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": 0,
    }
