"""OpenAI's shapes of an answer: one object, or a stream of chunks."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from finetune.serve.answering import Answer

Body = dict[str, Any]
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Completion:
    """One answer to be told to a client that asked for `model`."""

    model: str
    number: int = field(default_factory=lambda: next(_NUMBERS))
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, answer: Answer) -> Body:
        """All at once."""
        choice = {"index": 0, "message": {"role": "assistant", "content": answer.text}, "finish_reason": ended(answer)}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage(answer)}

    def chunk(self, delta: Body, reason: str | None = None) -> Body:
        """More of it; the last one has the reason why it ends."""
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def counts(self, answer: Answer) -> Body:
        """A chunk without text, for the counts."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": usage(answer)}

    def _head(self, kind: str) -> Body:
        return {"id": f"chatcmpl-{self.number}", "object": kind, "created": self.created, "model": self.model}


class Stream:
    """Sends a completion in chunks: who speaks, pieces of the text, why it ends."""

    def __init__(self, completion: Completion, send: Callable[[Body], None]) -> None:
        self.completion, self.send = completion, send
        self._opened = False

    def say(self, text: str) -> None:
        """The next piece."""
        self._open()
        self.send(self.completion.chunk({"content": text}))

    def close(self, answer: Answer, with_counts: bool) -> None:
        """The end, and the counts where they were asked for."""
        self._open()
        self.send(self.completion.chunk({}, ended(answer)))
        if with_counts:
            self.send(self.completion.counts(answer))

    def _open(self) -> None:
        if not self._opened:
            self._opened = True
            self.send(self.completion.chunk({"role": "assistant", "content": ""}))


def ended(answer: Answer) -> str:
    """Why an answer ends: the model ended it, or the limit did."""
    return "stop" if answer.ended else "length"


def usage(answer: Answer) -> Body:
    """Tokens of the prompt, of the answer, and of both."""
    both = answer.prompt_tokens + answer.tokens
    return {"prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.tokens, "total_tokens": both}
