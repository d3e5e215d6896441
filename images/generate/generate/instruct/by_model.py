"""The `openai` provider: every chunk through a language model."""

import pyarrow.compute as pc

from contract.config.instruct import InstructConfig
from contract.records import Chunk
from generate.instruct.book import CHUNKS, Book, Outcome
from generate.instruct.dialogue import Conversation, converse
from generate.instruct.prompt import Prompt, load_prompt
from generate.instruct.samples import make_sample
from generate.llm.session import Estimate, Session
from generate.llm.tokens import most_tokens
from stagekit.job import Job

CHARACTERS_PER_TOKEN = 4
"""Of English prose, for the estimate before the start only."""


def write_by_model(job: Job) -> None:
    """Ask for every chunk's pairs; samples, ledger, cost and figures go to the job's output.

    Raises `BadConfig` (no key, a limit on money without a price), `BudgetReached` where the config says so, and
    `RemoteTrouble` where the server is dead or too many requests failed; answers are kept in each case.
    """
    config: InstructConfig = job.config
    prompt = load_prompt(config.prompt)
    session = Session(job, [config.endpoint])
    session.log_estimate(_estimate(job, prompt))
    book = Book(job, requests=True)
    session.run(lambda: _converse_all(session, prompt, book))
    book.flush()
    session.check_failed(book.ends, job.input(CHUNKS).rows, CHUNKS)
    job.output.metrics |= {"prompt": prompt.name, "prompt_hash": prompt.hash[:16]}
    job.output.add_text("prompt.json", prompt.file.model_dump_json(indent=1))


async def _converse_all(session: Session, prompt: Prompt, book: Book) -> None:
    async def work(number: int, chunk: Chunk) -> Conversation:
        return await converse(lambda question: session.ask(question, number), prompt, chunk, session.job.config)

    chunks = session.job.input(CHUNKS)
    async with session.each(chunks.records(Chunk), work) as conversations:
        async for talk in conversations:
            outcome = _outcome(talk)
            book.add(outcome)
            if outcome.status == "skipped":
                session.stop_if_spent(book.ended("kept"), chunks.rows, CHUNKS)


def _outcome(talk: Conversation) -> Outcome:
    tags = ["backtranslated"]
    samples = [
        make_sample(
            talk.chunk,
            kept.pair,
            model=kept.model,
            tags=tags,
            prompt_hash=kept.prompt_hash,
            response_hash=kept.response_hash,
        )
        for kept in talk.kept
    ]
    if samples:
        return Outcome(talk.chunk, samples, talk.dropped, talk.exchanges)
    last = talk.last
    return Outcome(talk.chunk, [], talk.dropped, talk.exchanges, last.status, last.rule, last.detail)


def _estimate(job: Job, prompt: Prompt) -> Estimate:
    """Requests and prompt tokens if nothing is in the cache and no answer is asked again."""
    chunks = job.input(CHUNKS)
    characters = sum(pc.sum(pc.utf8_length(batch.column(0))).as_py() or 0 for batch in chunks.batches(columns=["text"]))
    empty = Chunk(id="", document_id="", ordinal=0, start=0, end=0, text="")
    frame = most_tokens(prompt.open(empty, job.config.pairs))
    return Estimate(chunks.rows, chunks.rows * frame + characters // CHARACTERS_PER_TOKEN)
