"""Answers to one instruction, from one model or several."""

from collections.abc import Iterable
from dataclasses import dataclass

from contract.config.llm import Endpoint
from contract.records import Sample
from generate.evolve.checks import answer_fault
from generate.evolve.fate import KEPT, Fate, dropped, unanswered
from generate.evolve.prompt import Prompt
from generate.evolve.shapes import Answered
from generate.llm.asker import Asker


@dataclass(frozen=True)
class Answer:
    """An answer that a model was asked for, and what became of it. One that came with its sample has no hashes."""

    model: str
    text: str = ""
    prompt_hash: str | None = None
    response_hash: str | None = None
    fate: Fate = KEPT


def system_of(sample: Sample) -> str:
    """The sample's system message, or an empty string."""
    return next((message.content for message in sample.messages if message.role == "system"), "")


async def answers_of(
    ask: Asker, prompt: Prompt, endpoints: Iterable[Endpoint], system: str, instruction: str, least: int
) -> list[Answer]:
    """One answer of each model, in their order; `least` is the fewest words of a good one."""
    return [await _answer(ask, prompt, endpoint, system, instruction, least) for endpoint in endpoints]


async def _answer(ask: Asker, prompt: Prompt, endpoint: Endpoint, system: str, instruction: str, least: int) -> Answer:
    said = await ask(prompt.answer(system, instruction), Answered, endpoint)
    if said is None:
        return Answer(endpoint.model, fate=unanswered(ask.last))
    text, ended = said.answer.strip(), ask.last.ended.answer
    assert ended
    fault = answer_fault(instruction, text, prompt, least)
    return Answer(
        ended.model or endpoint.model,
        text,
        ask.last.question.prompt_hash,
        ended.hash,
        dropped(fault) if fault else KEPT,
    )
