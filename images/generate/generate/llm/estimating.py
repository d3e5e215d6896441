"""What a run will take, before it sends anything: from the prompts that it will send, as they are rendered for a sample
of its rows, and from what the same prompts took of the same models before."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from contract.config.llm import Endpoint
from contract.records import Message
from generate.llm.experience import Experience, Name, Planned, kind_of
from generate.llm.question import Question, server_name

CHARACTERS_PER_TOKEN = 4
"""Of English prose, where nothing better is known."""
SAMPLE = 500
"""Rows for which prompts are rendered to tell how long they are."""
LOOKED_UP = 500
"""Questions that are looked up in the cache to tell how many are answered already."""


@dataclass(frozen=True)
class Estimate:
    """One kind of question that the stage may send at most, before anything is known of the cache: how many
    conversations open with it, the tokens and characters of all those openings together.

    With `prompt`, a name of what is asked and how, what earlier runs took for the `kind` of question counts. `sample`
    are some of the questions, drawn from all rows, where they are known already. `endpoint` is the model asked, or None
    for the stage's own.
    """

    requests: int
    prompt_tokens: int
    prompt: str = ""
    kind: str = ""
    characters: int = 0
    sample: Sequence[Question] = ()
    endpoint: Endpoint | None = None


def rendered(number: int, openings: Sequence[Sequence[Message]], prompt: str, schema: dict[str, Any],
             sample: Sequence[Question] = (), endpoint: Endpoint | None = None) -> Estimate:  # fmt: skip
    """`number` conversations whose openings are as long as these are on average."""
    lengths = [sum(len(message.content) for message in messages) for messages in openings]
    characters = round(number * fmean(lengths)) if lengths else 0
    return Estimate(number, characters // CHARACTERS_PER_TOKEN, prompt, kind_of(schema), characters, sample, endpoint)


@dataclass
class Expected:
    """Tokens and money (US dollars) that a run will probably take; `learnt` says whether anything is known of every
    model. `planned` is what the numbers were made from, by server, model and kind."""

    prompt_tokens: float = 0
    completion_tokens: float = 0
    money: float = 0
    learnt: bool = True
    planned: dict[Name, Planned] = field(default_factory=dict)


def expected(parts: Iterable[Estimate], shares: Callable[[Estimate], Iterable[tuple[Endpoint, float]]],
             known: Callable[[Endpoint, str], Experience], max_tokens: int, left: float) -> Expected:  # fmt: skip
    """What is expected where a share of `left` (0 to 1) is still to be asked; `shares` says of each kind of question
    which models get how much.

    A model of which nothing is known is taken to be asked everything and to use up `max_tokens` in each answer.
    """
    total = Expected()
    for part in parts:
        characters = part.characters or part.prompt_tokens * CHARACTERS_PER_TOKEN
        for endpoint, share in shares(part):
            planned = Planned(part.requests * left * share, characters * left * share)
            _add(total, (endpoint, part.kind), planned, known(endpoint, part.kind), max_tokens)
    return total


def _add(total: Expected, of: tuple[Endpoint, str], planned: Planned, past: Experience, max_tokens: int) -> None:
    endpoint, kind = of
    whole = total.planned.setdefault((server_name(endpoint.base_url), endpoint.model, kind), Planned())
    whole.requests += planned.requests
    whole.characters += planned.characters
    asked, said = planned.characters / CHARACTERS_PER_TOKEN, planned.requests * max_tokens
    if past.openings and past.characters:
        asked = planned.characters * past.characters_asked * past.prompt_tokens / past.characters
        said = planned.requests * past.conversations_opened * past.completion_tokens / past.openings
    elif planned.requests:
        total.learnt = False
    price = endpoint.price
    total.money += (asked * price.prompt + said * price.completion) / 1e6 if price else 0.0
    total.prompt_tokens += asked
    total.completion_tokens += said
