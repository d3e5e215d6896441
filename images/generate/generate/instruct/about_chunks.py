"""Pairs about every chunk, by a language model."""

import pyarrow.compute as pc

from contract.config.instruct import InstructConfig
from contract.records import Chunk, Message
from generate.instruct.book import CHUNKS, Book, Outcome
from generate.instruct.checks import fault
from generate.instruct.dialogue import Conversation, converse
from generate.instruct.grounding import grounding, ungrounded
from generate.instruct.pairs import SCHEMA
from generate.instruct.prompt import load_prompt
from generate.instruct.samples import make_sample
from generate.instruct.style import PASSAGE_CHARACTERS, Passages
from generate.llm.estimating import CHARACTERS_PER_TOKEN, LOOKED_UP, Estimate
from generate.llm.experience import kind_of
from generate.llm.sampling import sampled
from generate.llm.session import Session
from generate.llm.tokens import most_tokens

TAGS = {"backtranslate": "backtranslated", "rephrase": "rephrased", "style": "style"}


class AboutChunks:
    """The chunks of a run and how they are asked about. Raises `BadConfig` for a prompt that does not fit."""

    def __init__(self, session: Session, book: Book) -> None:
        self.session, self.book = session, book
        self.config: InstructConfig = session.job.config
        self.prompt = load_prompt(self.config.prompt_name, self.config.mode, self.config.language)
        self.chunks = session.job.input(CHUNKS)
        number = self.config.style_passages if self.config.mode == "style" else 0
        self.passages = Passages(self.chunks, number, self.config.seed)

    async def write(self) -> None:
        """Ask about every chunk; samples and ledger go to the book in the chunks' order."""
        async with self.session.each(self.chunks.records(Chunk), self._talk) as talks:
            async for outcome in talks:
                self.book.add(outcome)
                if outcome.status == "skipped":
                    self.session.stop_if_spent(self.book.ended("kept"), self.chunks.rows, CHUNKS)

    def estimate(self) -> Estimate:
        """Requests and prompt tokens if nothing is in the cache and no answer is asked again."""
        lengths = (pc.sum(pc.utf8_length(batch.column(0))).as_py() for batch in self.chunks.batches(columns=["text"]))
        characters = sum(length or 0 for length in lengths)
        characters += self.passages.number * PASSAGE_CHARACTERS * self.chunks.rows
        empty = Chunk(id="", document_id="", ordinal=0, start=0, end=0, text="")
        frame = self._messages(empty)
        return Estimate(
            self.chunks.rows,
            self.chunks.rows * most_tokens(frame) + characters // CHARACTERS_PER_TOKEN,
            prompt=f"{self.prompt.hash}:{self.config.pairs}",
            kind=kind_of(SCHEMA),
            characters=characters + self.chunks.rows * sum(len(message.content) for message in frame),
            sample=[
                self.session.question(self._messages(chunk), SCHEMA) for chunk in sampled(self.chunks, Chunk, LOOKED_UP)
            ],
        )

    def _messages(self, chunk: Chunk) -> tuple[Message, ...]:
        return self.prompt.open(chunk, self.config.pairs, self.config.language, self.passages.of(chunk))

    async def _talk(self, number: int, chunk: Chunk) -> Outcome:
        talk = Conversation(
            self.config.pairs,
            lambda pair, seen: (
                fault(pair, seen, self.prompt) or ungrounded(pair.answer, chunk, self.config.min_grounding)
            ),
        )
        await converse(
            lambda question: self.session.ask(question, number),
            lambda messages: self.session.question(messages, SCHEMA),
            self.prompt,
            self._messages(chunk),
            talk,
            self.config.reasks,
        )
        return self._outcome(chunk, talk)

    def _outcome(self, chunk: Chunk, talk: Conversation) -> Outcome:
        samples = [
            make_sample(
                chunk,
                kept.pair,
                model=kept.model,
                tags=[TAGS[self.config.mode]],
                prompt_hash=kept.prompt_hash,
                response_hash=kept.response_hash,
                scores=grounding(kept.pair.answer, chunk),
            )
            for kept in talk.kept
        ]
        if samples:
            return Outcome(chunk, samples, talk.dropped, talk.exchanges)
        last = talk.last
        return Outcome(chunk, [], talk.dropped, talk.exchanges, last.status, last.rule, last.detail)
