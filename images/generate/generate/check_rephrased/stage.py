"""check_rephrased: rows in; those out that a model does not take for a benchmark item in other words.

Reads `rows`, a dataset of decontaminate with its `decontamination/to_check.jsonl`: pairs of a row and the item that it
may rephrase. A model is asked about each pair, which is the second half of the "LLM decontaminator" of Yang et al. 2023
(arXiv 2311.04850); rows that are in no pair are asked nothing and stay. Drops by `rephrased_by_model` and, where the
config says so, `unchecked`, each with the item. Books every row, pair and request; writes
`check_rephrased/verdicts.jsonl`. Raises `BadInput` without such a file, `BadConfig` (no key, a limit on money without a
price, no such prompt), `BudgetReached` where the config says so, and `RemoteTrouble` where a server is dead or too many
requests failed; answers are kept in each case.
"""

from pathlib import Path

import pyarrow as pa

from contract.config.check_rephrased import CheckRephrasedConfig
from generate.check_rephrased.book import PAIRS, Book, Checked
from generate.check_rephrased.pairs import Pair, pairs_file, read_pairs
from generate.check_rephrased.prompt import Prompt, Said, load_prompt
from generate.llm.asker import Asker
from generate.llm.estimating import SAMPLE, Estimate, rendered
from generate.llm.sampling import drawn_places
from generate.llm.session import Session
from generate.llm.structured import strict_schema
from stagekit.job import Job
from stagekit.schema import row_ids

ROWS = "rows"


def run(job: Job) -> None:
    """Ask about every pair, then write the rows."""
    config: CheckRephrasedConfig = job.config
    path = pairs_file(job.input(ROWS))
    prompt = load_prompt(config.prompt, config.characters)
    session, total = Session(job), sum(1 for _ in read_pairs(path))
    session.log_estimate([_estimate(session, prompt, path, total)])
    book = Book(job)
    try:
        session.run(lambda: _ask(session, prompt, book, path, total))
        book.close()
    finally:
        book.discard()
    session.check_failed(book.ends, total, PAIRS)
    job.output.metrics |= {"prompt": prompt.name, "prompt_hash": prompt.hash[:16]}
    _write(job, book)


async def _ask(session: Session, prompt: Prompt, book: Book, path: Path, total: int) -> None:
    progress = session.job.progress(total, PAIRS)

    async def work(number: int, pair: Pair) -> Checked:
        asker = Asker(session, number, prompt.reask)
        said = await asker(prompt.question(pair), Said)
        return Checked(pair, said, tuple(asker.exchanges))

    async with session.each(read_pairs(path), work) as done:
        async for checked in done:
            book.add(checked)
            progress.add()
            if any(exchange.status == "skipped" for exchange in checked.exchanges):
                session.stop_if_spent(book.ends["kept", ""], total, PAIRS)


def _estimate(session: Session, prompt: Prompt, path: Path, total: int) -> Estimate:
    """One request for each pair, if nothing is in the cache and none is asked again."""
    places = set(drawn_places(total, SAMPLE))
    openings = [prompt.question(pair) for number, pair in enumerate(read_pairs(path)) if number in places]
    schema = strict_schema(Said)
    sample = [session.question(messages, schema) for messages in openings]
    return rendered(total, openings, prompt.hash, schema, sample)


def _write(job: Job, book: Book) -> None:
    """The second walk: rows that stay, and those that go with the reason."""
    for batch in job.input(ROWS).batches():
        found = {n: book.gone[name] for n, name in enumerate(row_ids(batch)) if name in book.gone}
        stays = pa.array([number not in found for number in range(batch.num_rows)], pa.bool_())
        job.output.write(batch.filter(stays), account=ROWS)
        reasons = list(found.values())
        job.output.drop(
            batch.take(pa.array(list(found), pa.int64())),
            ROWS,
            [gone.rule for gone in reasons],
            value=[gone.value for gone in reasons],
            threshold=[gone.threshold for gone in reasons],
            partner=[gone.partner for gone in reasons],
            detail=[gone.detail for gone in reasons],
        )
