"""One conversation with a model about pairs: ask, check, ask again with the error, keep what is good."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from contract.records import Message
from generate.instruct.checks import Fault
from generate.instruct.pairs import Pair, Reading, read_answer
from generate.instruct.prompt import Prompt
from generate.llm.answer import Ended
from generate.llm.exchange import Exchange
from generate.llm.question import Question
from generate.llm.structured import Ask, Make, again
from generate.words import normal

Judge = Callable[[Pair, AbstractSet[str]], Fault | None]
"""Why a pair goes, given the instructions kept before it (normalised), or None."""


@dataclass(frozen=True)
class Kept:
    """A pair to learn from, and the question and answer that it came from."""

    pair: Pair
    prompt_hash: str
    response_hash: str
    model: str


@dataclass(frozen=True)
class Dropped:
    """A pair that was asked for and is not kept: by which rule, on what evidence."""

    rule: str
    evidence: str | None = None
    pair: Pair | None = None


@dataclass
class Conversation:
    """Everything that happened for one chunk, or for one request of self-instruct, in order."""

    wanted: int
    judge: Judge
    kept: list[Kept] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    """Instructions of the kept pairs, normalised."""
    dropped: list[Dropped] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """How many pairs are still to be asked for; a pair dropped by a rule is not asked for again."""
        return max(0, self.wanted - len(self.kept) - len(self.dropped))

    @property
    def last(self) -> Exchange:
        """The exchange that decided."""
        return self.exchanges[-1]


async def converse(
    ask: Ask, make: Make, prompt: Prompt, messages: tuple[Message, ...], talk: Conversation, reasks: int
) -> Conversation:
    """Ask for the pairs that `talk` wants, and `reasks` times more while an answer is malformed or short."""
    for _ in range(1 + reasks):
        question = make(messages)
        ended = await ask(question)
        if ended.answer is None:
            talk.exchanges.append(Exchange(question, ended, ended.rule, ended.detail))
            break
        reading = read_answer(ended.answer, talk.missing)
        _take(talk, question, ended, reading)
        if reading.problem is None or not talk.missing:
            break
        messages = (
            *messages,
            *again(ended.answer, prompt.reask(reading.problem, count=talk.missing, kept=len(talk.kept))),
        )
    if talk.kept or talk.dropped:
        talk.dropped += [Dropped("missing", talk.last.detail or talk.last.rule or None)] * talk.missing
    return talk


def _take(talk: Conversation, question: Question, ended: Ended, reading: Reading) -> None:
    """Enter an answer's pairs and what that makes of its request."""
    assert ended.answer
    before = len(talk.kept)
    for pair in reading.pairs:
        _judge(talk, pair, question, ended)
    if reading.refusal is not None:
        talk.exchanges.append(Exchange(question, ended, "refusal", reading.refusal))
    elif len(talk.kept) > before:
        talk.exchanges.append(Exchange(question, ended))
    else:
        talk.exchanges.append(
            Exchange(question, ended, "no_good_pair" if reading.pairs else "malformed", reading.problem)
        )


def _judge(talk: Conversation, pair: Pair, question: Question, ended: Ended) -> None:
    assert ended.answer
    if found := talk.judge(pair, talk.seen):
        talk.dropped.append(Dropped(*found, pair))
    elif len(talk.kept) + len(talk.dropped) >= talk.wanted:
        talk.dropped.append(Dropped("surplus", f"{talk.wanted} were asked for", pair))
    else:
        model = ended.answer.model or question.model
        talk.kept.append(Kept(pair, question.prompt_hash, ended.answer.hash, model))
        talk.seen.add(normal(pair.instruction))
