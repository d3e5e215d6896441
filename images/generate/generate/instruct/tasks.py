"""Self-Instruct: new tasks for every cell of a taxonomy, in waves.

All requests of a wave are drawn from the pool as it was before; their tasks enter it in order. So the result depends
neither on how many requests are under way nor on which is answered first.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from contract.config.instruct import InstructConfig, SelfInstruct
from contract.keys import digest
from contract.records import Message
from generate.instruct.cells import Cell, quotas
from generate.instruct.checks import fault
from generate.instruct.dialogue import Conversation, Dropped, converse
from generate.instruct.pairs import SCHEMA
from generate.instruct.pool import Pool, Task
from generate.instruct.prompt import load_prompt
from generate.instruct.seeds import Seed
from generate.instruct.task_book import TaskBook, task_sample
from generate.llm.asker import SEEDS
from generate.llm.estimating import SAMPLE, rendered
from generate.llm.question import Question
from generate.llm.session import Ends, Estimate, Session

EXAMPLE_CHARACTERS = 1_000
REQUESTS_OF = "requests of self-instruct"


@dataclass
class Place:
    """A cell, how many tasks it lacks, and its requests: how many so far, and how many in a row brought nothing."""

    cell: Cell
    lacking: int
    sent: int = 0
    barren: int = 0


@dataclass(frozen=True)
class Request:
    """One request of a wave: for so many tasks of a cell, with these examples."""

    place: Place
    count: int
    number: int
    examples: list[Task]


@dataclass
class Tasks:
    """The search for tasks. Raises `BadConfig` for a prompt that is not there."""

    session: Session
    book: TaskBook
    seeds: list[Seed]
    ends: Ends = field(default_factory=Counter)
    spent: bool = False

    def __post_init__(self) -> None:
        self.config: InstructConfig = self.session.job.config
        assert self.config.self_instruct
        self.wanted: SelfInstruct = self.config.self_instruct
        self.prompt = load_prompt(self.wanted.prompt, "self_instruct")
        self.pool = Pool()
        for seed in self.seeds:
            self.pool.add(Task(seed.id, seed.text), made=False)
        self.places = [Place(cell, number) for cell, number in quotas(self.wanted, self.config.seed)]

    async def write(self) -> None:
        """Wave after wave until every cell has its tasks, nothing new comes, or the budget is spent."""
        while not self.spent and (requests := list(self._wave())):
            async with self.session.each(requests, self._talk) as talks:
                async for request, talk in talks:
                    self._take(request, talk)
        for place in self.places:
            self.book.missing(place.cell, place.lacking, self.spent)

    def estimate(self) -> Estimate:
        """Requests and prompt tokens if nothing is in the cache and every task is new; the first request of each cell
        stands for the others."""
        requests = sum(-(-place.lacking // self.config.pairs) for place in self.places)
        openings = [self._first(place) for place in self.places[:SAMPLE] if place.lacking]
        name = digest([self.prompt.hash, self.config.pairs, self.wanted.examples])
        return rendered(requests, openings, name, SCHEMA, [self._question(messages, 1) for messages in openings])

    def _first(self, place: Place) -> tuple[Message, ...]:
        examples = self.pool.examples(self.wanted.examples, *place.cell.tags, 1, self.config.seed)
        return self._messages(place.cell, min(place.lacking, self.config.pairs), examples)

    def _wave(self) -> Iterator[Request]:
        """The next requests: cells take turns, each asking for what it lacks beyond what is asked for already."""
        places = [place for place in self.places if place.lacking and place.barren < self.wanted.tries]
        lacking = {place.cell: place.lacking for place in places}
        left = self.wanted.wave
        while left and any(lacking.values()):
            for place in places:
                if left and (count := min(lacking[place.cell], self.config.pairs)):
                    lacking[place.cell] -= count
                    left -= 1
                    yield self._request(place, count)

    def _request(self, place: Place, count: int) -> Request:
        place.sent += 1
        examples = self.pool.examples(self.wanted.examples, *place.cell.tags, place.sent, self.config.seed)
        return Request(place, count, place.sent, examples)

    def _messages(self, cell: Cell, count: int, examples: list[Task]) -> tuple[Message, ...]:
        return self.prompt.open_cell(cell, count, [task.text[:EXAMPLE_CHARACTERS] for task in examples])

    async def _talk(self, number: int, request: Request) -> tuple[Request, Conversation]:
        messages = self._messages(request.place.cell, request.count, request.examples)
        talk = Conversation(request.count, lambda pair, seen: fault(pair, seen, self.prompt))
        return request, await converse(
            lambda question: self.session.ask(question, number),
            lambda said: self._question(said, request.number),
            self.prompt,
            messages,
            talk,
            self.config.reasks,
        )

    def _question(self, messages: tuple[Message, ...], number: int) -> Question:
        """Each request of a cell is another draw of the model, also where it is shown the same examples."""
        question = self.session.question(messages, SCHEMA)
        return replace(question, seed=(question.seed + number) % SEEDS)

    def _take(self, request: Request, talk: Conversation) -> None:
        """Let what is new into the pool; the rest is dropped with the task that it repeats."""
        before = request.place.lacking
        parents = [task.id for task in request.examples]
        for kept in talk.kept:
            if near := self.pool.nearest(kept.pair.instruction, self.wanted.novelty):
                self.book.repeated(kept.pair, near, self.wanted.novelty)
                continue
            sample = task_sample(request.place.cell, kept, parents)
            self.pool.add(Task(sample.id, kept.pair.instruction))
            self.book.keep(sample)
            request.place.lacking -= 1
        self.book.dropped(f"{'/'.join(request.place.cell.tags)}#{request.number}", _came(talk))
        self.book.requests(talk.exchanges, request.place.cell)
        self._note(request.place, talk, request.place.lacking < before)

    def _note(self, place: Place, talk: Conversation, fruitful: bool) -> None:
        place.barren = 0 if fruitful else place.barren + 1
        self.ends[talk.last.status, talk.last.rule] += 1
        if talk.last.status == "skipped":
            self.spent = True
            self.session.stop_if_spent(self.book.kept, self.wanted.count, "tasks")


def _came(talk: Conversation) -> list[Dropped]:
    """What came and goes; what did not come is asked for again, and booked at the end if it never comes."""
    return [dropped for dropped in talk.dropped if dropped.pair]
