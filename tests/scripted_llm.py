"""A server of the protocol whose answers a test writes, and what a model that evolves instructions would say."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contract.records import Message, Sample
from llm_batches import BatchLlmServer

Body = dict[str, Any]


class ScriptedServer(BatchLlmServer):
    """Answers what `script(body)` says, text or a value to be written as JSON; faults as the behaviour says."""

    def __init__(self, script: Callable[[Body], Any], **more: Any) -> None:
        super().__init__(**more)
        self.script = script

    def _text(self, what: str, body: Body) -> str:
        if what != "good":
            return {"refusal": "I'm sorry, but I can't help with that."}.get(what, "Here is what I think, in prose.")
        said = self.script(body)
        return said if isinstance(said, str) else json.dumps(said)


def shown(body: Body, number: int = 0) -> str:
    """The text that a prompt shows after one of its lines of dashes."""
    return re.split(r"\n?-{8}[^\n]*\n?", body["messages"][1]["content"])[1 + number].strip()


@dataclass
class Evolver:
    """Says what a good model would; every part can be replaced by a test. `kinds` are the questions that came."""

    rewrite: Callable[[str, str], Any] = lambda instruction, what: f"{instruction} Mind this: {what[:40]}"
    same: Callable[[str, str], bool] = lambda before, after: False
    answer: Callable[[str, str], str] = lambda instruction, model: (
        f"{model} says that it depends on {instruction[-30:]}"
    )
    rate: Callable[[str, str], int] = lambda answer, aspect: 3
    mend: Callable[[str], str] = lambda method: f"{method} And once more."
    kinds: list[str] = field(default_factory=list)

    def __call__(self, body: Body) -> Any:
        text = body["messages"][1]["content"]
        for kind, opening in OPENINGS.items():
            if text.startswith(opening):
                self.kinds.append(kind)
                return getattr(self, f"_{kind}")(body, text)
        self.kinds.append("answer")
        return {"answer": self.answer(text.removesuffix('\n\n(Reply as {"answer": "..."}.)'), body["model"])}

    def _depth(self, body: Body, text: str) -> Any:
        return self._written(shown(body), re.search(r"What to (?:change|write): (.*)", text).group(1))

    _breadth = _depth

    def _auto(self, body: Body, text: str) -> Any:
        return {"methods": ["m"], "plan": "p", "rewritten": "r", "review": "v"} | self._written(shown(body), text)

    def _written(self, instruction: str, what: str) -> Any:
        said = self.rewrite(instruction, what)
        return {"instruction": said} if isinstance(said, str) else said

    def _gain(self, body: Body, _: str) -> Any:
        return {"reason": "as asked", "same": self.same(shown(body), shown(body, 1))}

    def _rating(self, body: Body, text: str) -> Any:
        aspect = re.search(r"Aspect: ([a-z ]+)\.", text).group(1)
        answers = re.split(r"-{8} answer \d+\n", text.removesuffix("--------"))[1:]
        rated = [self.rate(answer.strip(), aspect) for answer in answers]
        return {"ratings": [{"answer": n, "rationale": "so", "rating": r} for n, r in enumerate(rated, 1)]}

    def _analyse(self, _body: Body, _text: str) -> Any:
        return {"feedback": "it asks for too little"}

    def _mend(self, body: Body, _: str) -> Any:
        return {"method": self.mend(f"{shown(body)} [{body['seed']}]")}


OPENINGS = {
    "gain": "Here are two instructions.",
    "rating": "Rate each of the",
    "analyse": "A method for making",
    "mend": "Below are a method",
    "auto": "Make a more demanding version of the instruction between the two lines of dashes, by the method",
    "depth": "Make a more demanding version",
    "breadth": "Write a new instruction",
}


def clock_samples(count: int, **fields: Any) -> list[Sample]:
    """Samples of one instruction and one answer, each of a chunk of its own."""
    return [
        Sample(
            id=f"s{n}",
            messages=[
                Message(role="user", content=f"Explain how clock number {n} keeps its time."),
                Message(role="assistant", content=f"Clock number {n} keeps time by a pendulum of {n} spans."),
            ],
            document_id=f"d{n // 2}",
            chunk_id=f"d{n // 2}:{n % 2}",
            start=n * 10,
            end=n * 10 + 9,
            source="clocks",
            author="A. Writer",
            model="gpt-4o-mini",
            license="MIT",
        ).model_copy(update=fields)
        for n in range(count)
    ]


class TaskServer(BatchLlmServer):
    """Writes tasks where it is asked for tasks, and pairs about an extract as ever."""

    def _text(self, what: str, body: Body) -> str:
        asked = body["messages"][1]["content"]
        if not asked.startswith(("Write", "Napisz zadania")):
            return super()._text(what, body)
        return json.dumps({"pairs": self.tasks(body)}) if what == "good" else "Here is what I think, in prose."

    def tasks(self, body: Body) -> list[dict[str, str]]:
        """As many tasks as were asked for, each of words of its own."""
        topic = re.search(r"(?:Topic|Temat): (.*)", body["messages"][1]["content"]).group(1)
        count = int(re.search(r"(?:Write|zadań:) (\d+)", body["messages"][1]["content"]).group(1))
        salt = hashlib.sha256(json.dumps([body["messages"], body["seed"]]).encode()).hexdigest()
        marks = [salt[n * 6 : n * 6 + 6] for n in range(count)]
        return [
            {"instruction": f"{mark}a {mark}b {topic} {mark}c?", "answer": f"It is {mark} by all accounts."}
            for mark in marks
        ]
