"""Documents to documents, whole batches at a time."""

from stagekit.job import Job


def run(job: Job) -> None:
    """Keeps every row."""
    for batch in job.input("rows").batches(7):
        job.output.write(batch, account="rows")
