"""instruct: chunks in, instruction samples out."""

from stagekit.job import Job


def run(job: Job) -> None:
    """Write pairs for every chunk by the configured provider.

    Reads `chunks`. Books every chunk, every pair that was asked for and, with a model, every request.
    """
    if job.config.provider == "openai":
        from generate.instruct.by_model import write_by_model  # the client takes 0.6 s to import

        write_by_model(job)
    else:
        from generate.instruct.by_extraction import write_by_extraction

        write_by_extraction(job)
