"""Judges made to order: a server of the protocol whose verdicts follow a script, with known biases.

A script sees what the judge was shown and says what it answers. Answers in tests carry their true worth in their text
as `[worth 3]`, which a script may go by, or not.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from llm_batches import BatchLlmServer
from llm_server import Behaviour, _hash

WORTH = re.compile(r"\[worth (\d)\]")


@dataclass(frozen=True)
class Shown:
    """One question as the judge sees it."""

    model: str
    text: str
    messages: tuple[dict, ...]

    def part(self, tag: str) -> str | None:
        """What stands between a tag's two ends."""
        found = re.search(rf"<{tag}>\n(.*?)\n</{tag}>", self.text, re.DOTALL)
        return found.group(1) if found else None

    @property
    def name(self) -> str:
        """The pair or answer, whatever the order: the instruction."""
        return self.part("instruction") or ""

    @property
    def is_pair(self) -> bool:
        return self.part("answer_a") is not None

    @property
    def asked_again(self) -> bool:
        return self.messages[-1]["content"] != self.text


def worth(text: str | None) -> int:
    return int(WORTH.search(text or "").group(1))


def honest(shown: Shown) -> dict:
    """A judge that sees the true worth."""
    if not shown.is_pair:
        return {"feedback": "As it is.", "score": worth(shown.part("answer"))}
    first, second = worth(shown.part("answer_a")), worth(shown.part("answer_b"))
    return {"feedback": "As they are.", "better": "tie" if first == second else "A" if first > second else "B"}


def drawn(salt: str, name: str) -> float:
    """A number from 0 to 1 that belongs to a name."""
    return _hash(f"{salt}:{name}") / 2**64


class JudgeServer(BatchLlmServer):
    """Answers by `script(shown)`: an object, or raw text; a question without a judge's tags gets a fresh answer."""

    def __init__(self, script: Callable[[Shown], dict | str] = honest, seed: int = 0) -> None:
        super().__init__(Behaviour(), seed)
        self.script = script

    def _text(self, what, body) -> str:
        if what in ("prose", "refusal"):
            return super()._text(what, body)
        shown = shown_of(body)
        said = self.script(shown) if shown.part("answer") or shown.is_pair else {"answer": "Fresh [worth 2]."}
        text = said if isinstance(said, str) else json.dumps(said)
        return text[:-1] if what == "malformed" else text


def shown_of(body: dict) -> Shown:
    """The last question with material in it; what follows it are a bad verdict and the request to mend it."""
    users = [message["content"] for message in body["messages"] if message["role"] == "user"]
    return Shown(body["model"], next(t for t in reversed(users) if "<instruction>" in t), tuple(body["messages"]))
