"""One evolution of one sample: rewrite, check, ask whether anything was gained, answer, check again."""

from dataclasses import dataclass, replace

from contract.keys import digest
from contract.records import Message, Sample
from generate.evolve.answers import Answer, answers_of, system_of
from generate.evolve.checks import instruction_fault
from generate.evolve.compare import Comparison, compare
from generate.evolve.fate import KEPT, Fate, dropped, unanswered
from generate.evolve.how import How
from generate.evolve.shapes import Gain
from generate.llm.asker import Asker

ID_LENGTH = 20


@dataclass(frozen=True)
class Evolution:
    """What came of one try: a sample, or where it ended and why."""

    parent: Sample
    number: int
    operation: str = ""
    instruction: str = ""
    answers: tuple[Answer, ...] = ()
    comparison: Comparison | None = None
    sample: Sample | None = None
    fate: Fate = KEPT


async def evolve(ask: Asker, how: How, parent: Sample, root: str, number: int) -> Evolution:
    """Evolve `parent` in round `number`; `root` is the id of the sample that came in."""
    operation = how.operation(root, number)
    tried = Evolution(parent, number, operation)
    messages, shape = how.rewriting(operation, parent, root, number)
    written = await ask(messages, shape, salt=number)
    if written is None:
        return replace(tried, fate=unanswered(ask.last))
    tried = replace(tried, instruction=written.instruction.strip())
    if fault := instruction_fault(parent.instruction, tried.instruction, how.prompt):
        return replace(tried, fate=dropped(fault))
    if how.config.check_gain and (lost := await _no_gain(ask, how, tried)):
        return replace(tried, fate=lost)
    return await _answered(ask, how, tried)


async def _no_gain(ask: Asker, how: How, tried: Evolution) -> Fate | None:
    said = await ask(how.prompt.gain(tried.parent.instruction, tried.instruction), Gain)
    if said is None:
        return unanswered(ask.last)
    return dropped(("no_gain", said.reason)) if said.same else None


async def _answered(ask: Asker, how: How, tried: Evolution) -> Evolution:
    system, least = system_of(tried.parent), how.config.min_answer_words
    answers = await answers_of(ask, how.prompt, how.answerers, system, tried.instruction, least)
    tried = replace(tried, answers=tuple(answers))
    usable = [answer for answer in answers if answer.fate.kept]
    if not usable:
        return replace(tried, fate=answers[-1].fate)
    if how.config.compare is None:
        return replace(tried, sample=_sample(tried, usable[0], {}))
    draw = digest([tried.parent.id, tried.instruction])
    comparison = await compare(ask, how, tried.instruction, usable, draw)
    return replace(tried, comparison=comparison, sample=_sample(tried, comparison.best, comparison.scores))


def _sample(tried: Evolution, answer: Answer, scores: dict[str, float]) -> Sample:
    """The evolved sample, with all it stems from: ids of its line (oldest first), document, chunk, span, licence.

    It has no author: neither question nor answer are the author's words.
    """
    parent = tried.parent
    before = [message for message in parent.messages if message.role == "system"]
    asked = Message(role="user", content=tried.instruction)
    return Sample(
        id=digest([parent.id, tried.instruction, answer.text])[:ID_LENGTH],
        messages=[*before, asked, Message(role="assistant", content=answer.text)],
        kind="evolved",
        document_id=parent.document_id,
        chunk_id=parent.chunk_id,
        start=parent.start,
        end=parent.end,
        parent_ids=[*parent.parent_ids, parent.id],
        source=parent.source,
        model=answer.model,
        prompt_hash=answer.prompt_hash,
        response_hash=answer.response_hash,
        scores=scores,
        tags=[tried.operation, f"round-{tried.number}"],
        license=parent.license,
    )
