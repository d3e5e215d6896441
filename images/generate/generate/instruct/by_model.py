"""The `openai` provider: every chunk through a language model."""

import os
from contextlib import aclosing

import pyarrow.compute as pc

from contract.config.instruct import InstructConfig
from contract.failures import BadConfig, BudgetReached, RemoteTrouble
from contract.manifest import Cost
from contract.records import Chunk
from generate.instruct.book import CHUNKS, Book, Outcome
from generate.instruct.dialogue import Conversation, converse
from generate.instruct.prompt import Prompt, load_prompt
from generate.instruct.samples import make_sample
from generate.llm.cache import AnswerCache
from generate.llm.engine import Engine, Retries
from generate.llm.health import Health
from generate.llm.ordered import in_order
from generate.llm.purse import Purse
from generate.llm.question import server_name
from generate.llm.server import ChatServer
from generate.llm.slots import Slots
from generate.llm.spending import Meter, Spent
from generate.llm.stopping import run_until_stopped
from generate.llm.tokens import most_tokens
from stagekit.job import Job

WINDOW_MINIMUM = 512
WINDOW_PER_SLOT = 4
"""Chunks in memory at once (some 10 KB each): enough that one told to wait at the head does not idle the slots."""
CHARACTERS_PER_TOKEN = 4
"""Of English prose, for the estimate before the start only."""


def write_by_model(job: Job) -> None:
    """Ask for every chunk's pairs; samples, ledger, cost and figures go to the job's output.

    Raises `BadConfig` (no key, a limit on money without a price), `BudgetReached` where the config says so, and
    `RemoteTrouble` where the server is dead or too many requests failed; answers are kept in each case.
    """
    config: InstructConfig = job.config
    prompt = load_prompt(config.prompt)
    purse = Purse(job.scratch())
    key = _api_key(config)
    meter = Meter(config.budget, config.price, purse.before())
    _log_estimate(job, prompt)
    run_until_stopped(_write(job, prompt, key, meter, purse))
    job.output.add_text("prompt.json", prompt.file.model_dump_json(indent=1))


async def _write(job: Job, prompt: Prompt, key: str, meter: Meter, purse: Purse) -> None:
    book = Book(job, requests=True)
    engine = _engine(job, key, meter, purse)
    try:
        await _converse_all(job, prompt, engine, book)
    finally:
        await engine.close()
    book.flush()
    _report(job, prompt, engine)
    _check_failed(job, book)


async def _converse_all(job: Job, prompt: Prompt, engine: Engine, book: Book) -> None:
    config: InstructConfig = job.config

    async def work(number: int, chunk: Chunk) -> Conversation:
        return await converse(lambda question: engine.ask(question, number), prompt, chunk, config)

    window = max(WINDOW_MINIMUM, WINDOW_PER_SLOT * config.concurrency)
    chunks = job.input(CHUNKS).records(Chunk)
    async with aclosing(in_order(chunks, work, window)) as conversations:
        async for talk in conversations:
            outcome = _outcome(talk)
            book.add(outcome)
            if outcome.status == "skipped" and config.on_budget == "fail":
                raise BudgetReached(
                    f"the limit on {engine.meter.reached} is reached after {book.ended('kept')} chunks: "
                    f"{_spent_in_words(engine.meter)}",
                    where=f"instruct ({job.input(CHUNKS).rows} chunks)",
                    hint="raise the limit and run again: answers so far are kept and are not paid twice",
                )


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


def _engine(job: Job, key: str, meter: Meter, purse: Purse) -> Engine:
    config: InstructConfig = job.config
    server = server_name(config.base_url)
    return Engine(
        ChatServer(server, key, config.timeout, config.concurrency),
        AnswerCache(job.cache("llm"), job.log),
        meter,
        purse,
        Slots(config.concurrency),
        Health(server, config.patience),
        Retries(config.attempts, config.backoff, config.seed),
    )


def _api_key(config: InstructConfig) -> str:
    """The key from the environment; a server of one's own may need none."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not key and config.base_url is None:
        raise BadConfig(
            "OPENAI_API_KEY is not set",
            expected="a key for OpenAI's server in the environment",
            where="instruct",
            hint="set it, or name another server with `base_url`, or use `provider: extractive`",
        )
    return key or "none-needed"


def _log_estimate(job: Job, prompt: Prompt) -> None:
    """Say what the run may take before anything is sent; answers already paid for are not known yet."""
    config: InstructConfig = job.config
    chunks = job.input(CHUNKS)
    characters = sum(pc.sum(pc.utf8_length(batch.column(0))).as_py() or 0 for batch in chunks.batches(columns=["text"]))
    empty = Chunk(id="", document_id="", ordinal=0, start=0, end=0, text="")
    frame = most_tokens(prompt.open(empty, config.pairs))
    most = Spent(chunks.rows, chunks.rows * frame + characters // CHARACTERS_PER_TOKEN, chunks.rows * config.max_tokens)
    fields = {
        "requests": most.requests,
        "prompt_tokens_about": most.prompt_tokens,
        "completion_tokens_at_most": most.completion_tokens,
        "money_at_most": f"{most.money(config.price):.4f}" if config.price else "unknown",
        **{f"limit_{name}": limit for name, limit in config.budget.model_dump().items() if limit is not None},
    }
    job.log.info("estimate", extra={"fields": fields})


def _report(job: Job, prompt: Prompt, engine: Engine) -> None:
    """Cost and figures of the run. Tries of this dataset that were killed count: their money was spent on it."""
    meter, spent = engine.meter, engine.meter.spent
    job.output.cost = Cost(
        requests=spent.requests,
        cached_requests=engine.cached.requests,
        prompt_tokens=spent.prompt_tokens,
        completion_tokens=spent.completion_tokens,
        money=meter.money,
    )
    job.output.metrics |= {
        "prompt": prompt.name,
        "prompt_hash": prompt.hash[:16],
        "answer_format": ("json_schema", "json_object", "text")[engine.server.level],
        "cached_prompt_tokens": engine.cached.prompt_tokens,
        "cached_completion_tokens": engine.cached.completion_tokens,
        "lost_tokens_held": meter.held.tokens,
        "lowest_concurrency": engine.slots.lowest,
        "budget_reached": meter.reached,
        **{f"tries_{kind}": number for kind, number in sorted(engine.troubles.items())},
    }
    if meter.reached:
        job.log.warning("budget reached", extra={"fields": {"limit": meter.reached, "spent": _spent_in_words(meter)}})


def _spent_in_words(meter: Meter) -> str:
    spent, limits = meter.spent, meter.budget
    parts = [f"{spent.requests} requests", f"{spent.tokens} tokens"]
    if meter.money is not None:
        parts.append(f"{meter.money:.6g} US dollars")
    given = {name: limit for name, limit in limits.model_dump().items() if limit is not None}
    return f"{', '.join(parts)} of {', '.join(f'{limit:g} {name}' for name, limit in given.items())}"


def _check_failed(job: Job, book: Book) -> None:
    """Raise `RemoteTrouble` when too many chunks failed for reasons that another try may mend."""
    total = job.input(CHUNKS).rows
    failed = {rule: n for (status, rule), n in book.ends.items() if status == "failed" and rule != "bad_request"}
    if sum(failed.values()) > job.config.max_failed * total:
        reasons = ", ".join(f"{rule} {n}" for rule, n in sorted(failed.items()))
        raise RemoteTrouble(
            f"the requests of {sum(failed.values())} of {total} chunks failed ({reasons})",
            expected=f"at most {job.config.max_failed:.1%} (`max_failed`)",
            where=server_name(job.config.base_url),
            hint="run again: only these are asked again, answers so far are kept",
        )
