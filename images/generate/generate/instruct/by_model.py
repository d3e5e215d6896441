"""The `openai` provider: pairs about every chunk, and new tasks after seed tasks."""

from contract.config.instruct import InstructConfig
from generate.instruct.about_chunks import AboutChunks
from generate.instruct.book import CHUNKS, Book
from generate.instruct.prompt import Prompt
from generate.instruct.seeds import read_seeds
from generate.instruct.task_book import TaskBook
from generate.instruct.tasks import REQUESTS_OF, Tasks
from generate.llm.session import Session
from stagekit.job import Job


def write_by_model(job: Job) -> None:
    """Ask a model; samples, ledger, cost and figures go to the job's output.

    Raises `BadConfig` (no key, a limit on money without a price), `BudgetReached` where the config says so, and
    `RemoteTrouble` where the server is dead or too many requests failed; answers are kept in each case.
    """
    config: InstructConfig = job.config
    session = Session(job)
    about = AboutChunks(session, Book(job, requests=True)) if config.reads_chunks else None
    tasks = _tasks(session, config)
    session.log_estimate([part.estimate() for part in (about, tasks) if part])
    session.run(lambda: _write(about, tasks))
    if about:
        session.check_failed(about.book.ends, job.input(CHUNKS).rows, CHUNKS)
        _describe(job, about.prompt, "prompt")
    if tasks:
        session.check_failed(tasks.ends, tasks.ends.total(), REQUESTS_OF)
        _describe(job, tasks.prompt, "task_prompt")


async def _write(about: AboutChunks | None, tasks: Tasks | None) -> None:
    if about:
        await about.write()
        about.book.flush()
    if tasks:
        await tasks.write()
        tasks.book.flush()


def _tasks(session: Session, config: InstructConfig) -> Tasks | None:
    """Self-instruct, where it is wanted; seeds are read, and written first where that is wanted."""
    wanted, job = config.self_instruct, session.job
    if wanted is None:
        return None
    book = TaskBook(job)
    seeds = read_seeds(job, wanted)
    if wanted.write_seeds:
        book.write(seed.sample(wanted.license) for seed in seeds)
    return Tasks(session, book, seeds)


def _describe(job: Job, prompt: Prompt, name: str) -> None:
    job.output.metrics |= {name: prompt.name, f"{name}_hash": prompt.hash[:16]}
    job.output.add_text(f"{name}.json", prompt.file.model_dump_json(indent=1, exclude_unset=True))
