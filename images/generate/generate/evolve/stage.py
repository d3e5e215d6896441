"""evolve: samples in; the same and evolved ones out.

Reads `rows`. Books every row, every evolution, every answer, every comparison and every request; a row, an evolution
or an answer that goes no further is in the ledger with its rule. Writes samples, `prompt.json` (what was asked), with
`compare` a file `preferences.jsonl`, and with `method: auto` the folder `auto`. Raises `BadConfig` (no key, a limit on
money without a price, no such prompt), `BudgetReached` where the config says so, and `RemoteTrouble` where a server is
dead or too many requests failed; answers are kept in each case.
"""

import json
from dataclasses import replace

from contract.config.evolve import EvolveConfig
from contract.records import Sample
from generate.evolve.auto.search import Search, search_of
from generate.evolve.book import ROWS, Book
from generate.evolve.estimate import estimate
from generate.evolve.how import How
from generate.evolve.prompt import AUTO, load_prompt
from generate.evolve.row import Row, evolve_row
from generate.evolve.rubrics import load_rubrics
from generate.llm.asker import Asker
from generate.llm.session import Session
from stagekit.job import Job


def run(job: Job) -> None:
    """Evolve every sample, round by round; compare answers where the config says so."""
    config: EvolveConfig = job.config
    prompt = load_prompt(config.prompt)
    rubrics = load_rubrics(config.compare.prompt) if config.compare else None
    how = How(config, prompt, config.auto.method or prompt.file.auto.method, rubrics)
    session = Session(job, config.models)
    session.log_estimate(estimate(session, how))
    book = Book(job)
    search = search_of(session, book, how) if config.method == AUTO and config.rounds else None
    session.run(lambda: _evolve_all(session, how, book, search))
    book.close()
    for account, ends in book.ends.items():
        session.check_failed(ends, ends.total(), account)
    _describe(job, how, book)
    if search:
        _describe_search(job, search)


async def _evolve_all(session: Session, how: How, book: Book, search: Search | None) -> None:
    if search:
        await search.run()
        how = replace(how, method=search.best.method)

    async def work(number: int, sample: Sample) -> Row:
        return await evolve_row(Asker(session, number, how.prompt.reask), how, sample)

    rows = session.job.input(ROWS)
    async with session.each(rows.records(Sample), work) as done:
        async for row in done:
            book.add(row)
            if any(exchange.status == "skipped" for exchange in row.exchanges):
                session.stop_if_spent(book.done, rows.rows, ROWS)


def _describe(job: Job, how: How, book: Book) -> None:
    """What was asked and what came of it, for people."""
    prompts = {how.prompt.name: how.prompt.file.model_dump()}
    if how.rubrics:
        prompts[how.rubrics.name] = how.rubrics.file.model_dump()
        job.output.metrics |= {"preferences": book.preferences, "rating_prompt_hash": how.rubrics.hash[:16]}
    job.output.metrics |= {"prompt": how.prompt.name, "prompt_hash": how.prompt.hash[:16]}
    job.output.add_text("prompt.json", json.dumps(prompts, indent=1, ensure_ascii=False))


def _describe_search(job: Job, search: Search) -> None:
    """The method that was found and all that were tried, as files; the rates as figures."""
    job.output.add_text("auto/method.txt", search.best.method.strip() + "\n")
    job.output.add_text("auto/history.json", json.dumps(search.history, indent=1, ensure_ascii=False))
    job.output.metrics |= {
        "auto_failure_rate_first": round(search.history[0]["failure_rate"], 6),
        "auto_failure_rate": round(search.best.rate, 6),
        "auto_methods_tried": len(search.history),
        "auto_ended": search.ended,
    }
