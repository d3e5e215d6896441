"""Lines of text files to documents. `TOY` in the environment makes it misbehave; `TOY_BATCH` sets rows per write."""

import errno
import os
import time

from contract.failures import RemoteTrouble
from contract.records import Document, LedgerEntry
from stagekit.job import Job
from stagekit.sources import source_files


def run(job: Job) -> None:
    """Keeps lines, drops those that start with `#`."""
    lines = []
    for source in job.config.sources:
        store, files = source_files(source)
        lines += [line for file in files for line in store.read(file.name).decode().splitlines()]
    job.output.rule("comment", "lines that start with #")
    job.output.books.open("lines", len(lines))
    batch = []
    for number, line in enumerate(lines):
        _misbehave(os.environ.get("TOY", ""), number)
        if line.startswith("#"):
            entry = LedgerEntry(account="lines", status="dropped", rule="comment", id=str(number), row=line)
            job.output.enter([entry])
        elif not (os.environ.get("TOY") == "lose" and number == 2):
            batch.append(Document(id=str(number), text=line))
        if len(batch) >= int(os.environ.get("TOY_BATCH", "1")):
            job.output.write(batch, account="lines")
            batch = []
    if batch:
        job.output.write(batch, account="lines")
    job.output.add_text("note.txt", "a file beside the rows\n")


def _misbehave(how: str, number: int) -> None:
    if how == "slow":
        time.sleep(0.05)
    if number < 1:
        return
    if how == "bug":
        raise ZeroDivisionError("one over none")
    if how == "memory":
        raise MemoryError
    if how == "disk":
        raise OSError(errno.ENOSPC, "No space left on device", "part.parquet")
    if how == "remote":
        raise RemoteTrouble("the server does not answer", where="a test")
