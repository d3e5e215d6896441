"""One sample that came in: its rounds, and where answers of originals are compared, its own answer among others."""

from dataclasses import dataclass, field, replace

from contract.keys import digest
from contract.records import Message, Sample
from generate.evolve.answers import Answer, answers_of, system_of
from generate.evolve.compare import Comparison, compare
from generate.evolve.evolution import ID_LENGTH, Evolution, evolve
from generate.evolve.fate import Fate
from generate.evolve.how import How
from generate.llm.asker import Asker
from generate.llm.exchange import Exchange

TURNS = ["user", "assistant"]
UNKNOWN = "unknown"
NOT_ONE_TURN = Fate("dropped", "not_one_turn")
RULES = {"not_one_turn": "only conversations of one instruction and one answer are evolved"}


@dataclass(frozen=True)
class Row:
    """A sample, all that was tried with it, and every request."""

    sample: Sample
    evolutions: list[Evolution]
    answers: list[Answer] = field(default_factory=list)
    comparison: Comparison | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def original(self) -> Sample:
        """The sample itself; where another answer was better, with that one, under an id of its own."""
        if self.comparison is None:
            return self.sample
        return _with_answer(self.sample, self.comparison)

    @property
    def evolved(self) -> list[Sample]:
        """The samples that came of it, in the order of rounds."""
        return [tried.sample for tried in self.evolutions if tried.sample]


def is_one_turn(sample: Sample) -> bool:
    """Whether a conversation is one instruction and one answer, with or without a system message."""
    return [message.role for message in sample.messages if message.role != "system"] == TURNS


async def evolve_row(ask: Asker, how: How, sample: Sample) -> Row:
    """Evolve a sample in each round, starting from the last one that was good."""
    rounds = range(1, how.config.rounds + 1)
    if not is_one_turn(sample):
        return Row(sample, [Evolution(sample, number, fate=NOT_ONE_TURN) for number in rounds])
    row, last = Row(sample, [], exchanges=ask.exchanges), sample
    for number in rounds:
        tried = await evolve(ask, how, last, sample.id, number)
        row.evolutions.append(tried)
        last = tried.sample or last
    if how.config.compare and how.config.compare.of == "all":
        return await _compared(ask, how, row)
    return row


async def _compared(ask: Asker, how: How, row: Row) -> Row:
    sample, least = row.sample, how.config.min_answer_words
    answers = await answers_of(ask, how.prompt, how.answerers, system_of(sample), sample.instruction, least)
    own = Answer(sample.model or UNKNOWN, sample.answer)
    usable = [own, *(answer for answer in answers if answer.fate.kept)]
    comparison = await compare(ask, how, sample.instruction, usable, sample.id)
    return replace(row, answers=answers, comparison=comparison)


def _with_answer(sample: Sample, comparison: Comparison) -> Sample:
    best, scores = comparison.best, {**sample.scores, **comparison.scores}
    if best.response_hash is None:
        return sample.model_copy(update={"scores": scores})
    answered = Message(role="assistant", content=best.text)
    return sample.model_copy(
        update={
            "id": digest([sample.id, best.text])[:ID_LENGTH],
            "messages": [*sample.messages[:-1], answered],
            "parent_ids": [*sample.parent_ids, sample.id],
            "author": None,
            "model": best.model,
            "prompt_hash": best.prompt_hash,
            "response_hash": best.response_hash,
            "scores": scores,
            "tags": [*sample.tags, "better_answer"],
        }
    )
