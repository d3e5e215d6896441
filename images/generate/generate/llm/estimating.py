"""What a run will take, before it sends anything: learnt from what the same prompt took of the same model before."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TypeVar

import orjson

from contract.config.llm import Endpoint
from contract.keys import digest
from generate.llm.answer import Answer
from generate.llm.question import Question, server_name
from stagekit.store import Store

T = TypeVar("T")
CHARACTERS_PER_TOKEN = 4
"""Of English prose, where nothing better is known."""
SAMPLE = 100
"""Rows that are looked up to tell how many are answered already."""
ENOUGH = 10_000
"""Answers after which old ones count half: models and prices change behind a name."""


@dataclass(frozen=True)
class Estimate:
    """What the stage may send at most, before anything is known of the cache: requests and prompt tokens.

    With `prompt`, a name of what is asked and how, what earlier runs took for it counts. `characters` are those of all
    prompts (else four per token), `sample` some of the first questions, evenly from all rows.
    """

    requests: int
    prompt_tokens: int
    prompt: str = ""
    characters: int = 0
    sample: Sequence[Question] = ()


@dataclass
class Experience:
    """What some conversations took: their openings, with characters, and all requests that followed, with tokens."""

    openings: int = 0
    characters: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def add(self, question: Question, answer: Answer) -> None:
        """Count one answer; one that the server did not meter teaches nothing."""
        if not answer.metered:
            return
        if not any(message.role == "assistant" for message in question.messages):
            self.openings += 1
            self.characters += sum(len(message.content) for message in question.messages)
        self.requests += 1
        self.prompt_tokens += answer.prompt_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0

    def __add__(self, other: "Experience") -> "Experience":
        share = 0.5 if self.requests > ENOUGH else 1.0
        return Experience(*(int(share * a) + b for a, b in zip(_sums(self), _sums(other), strict=True)))


def _sums(one: Experience) -> list[int]:
    return list(asdict(one).values())


class Experiences:
    """What each model took for one prompt, in this run and in earlier ones; kept beside the answers."""

    def __init__(self, store: Store, prompt: str) -> None:
        self.store, self.prompt = store, prompt
        self._now: dict[tuple[str, str], Experience] = {}

    def add(self, question: Question, answer: Answer) -> None:
        """Learn from an answer."""
        self._now.setdefault((question.server, question.model), Experience()).add(question, answer)

    def of(self, endpoint: Endpoint) -> Experience:
        """What a model took in earlier runs."""
        return self._read(_name(server_name(endpoint.base_url), endpoint.model, self.prompt))

    def save(self) -> None:
        """Keep what was learnt."""
        for (server, model), new in self._now.items():
            if new.requests:
                name = _name(server, model, self.prompt)
                self.store.write(name, orjson.dumps(asdict(self._read(name) + new)))
        self._now = {}

    def _read(self, name: str) -> Experience:
        try:
            return Experience(**orjson.loads(self.store.read(name) or b"{}"))
        except (ValueError, TypeError):
            return Experience()  # damaged: nothing is known


def _name(server: str, model: str, prompt: str) -> str:
    return f"{digest([server, model, prompt])}.json"


@dataclass(frozen=True)
class Expected:
    """Tokens and money (US dollars) that a run will probably take; `learnt` says whether anything is known."""

    prompt_tokens: float
    completion_tokens: float
    money: float
    learnt: bool


def expected(most: Estimate, shares: Iterable[tuple[Endpoint, float]], known: Callable[[Endpoint], Experience],
             max_tokens: int, left: float) -> Expected:  # fmt: skip
    """What is expected where a share of `left` (0 to 1) is still to be asked, of each model its share.

    A model of which nothing is known is taken to use up `max_tokens` in each answer.
    """
    characters = (most.characters or most.prompt_tokens * CHARACTERS_PER_TOKEN) * left
    prompt = completion = money = 0.0
    learnt = True
    for endpoint, share in shares:
        past = known(endpoint)
        if past.openings and past.characters:
            asked = characters * share * past.prompt_tokens / past.characters
            said = most.requests * left * share * past.completion_tokens / past.openings
        else:
            asked, said = most.prompt_tokens * left * share, most.requests * left * share * max_tokens
            learnt = False
        price = endpoint.price
        money += (asked * price.prompt + said * price.completion) / 1e6 if price else 0.0
        prompt, completion = prompt + asked, completion + said
    return Expected(prompt, completion, money, learnt)


def evenly(rows: Iterable[T], total: int) -> list[T]:
    """At most `SAMPLE` of `total` rows, evenly spaced."""
    return list(islice(rows, 0, None, max(1, -(-total // SAMPLE))))
