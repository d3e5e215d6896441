"""instruct: chunks in, seed tasks beside them, instruction samples out."""

from contract.failures import BadConfig
from stagekit.job import Job

CHUNKS = "chunks"


def run(job: Job) -> None:
    """Write pairs for every chunk by the configured provider, and tasks after seed tasks.

    Reads `chunks`, unless the mode is self_instruct. Books every chunk, every pair that was asked for and, with a
    model, every request; with self-instruct every seed and every task.
    """
    _check_input(job)
    if job.config.provider == "openai":
        from generate.instruct.by_model import write_by_model  # the client takes 0.6 s to import

        write_by_model(job)
    else:
        from generate.instruct.by_extraction import write_by_extraction

        write_by_extraction(job)


def _check_input(job: Job) -> None:
    """Chunks are needed by every mode but one, which would leave them unread."""
    mode, given = job.config.mode, bool(job.inputs.get(CHUNKS))
    if job.config.reads_chunks and not given:
        raise BadConfig(
            "--input chunks=URI is missing", expected=f"extracts to write about in mode {mode}", where="instruct"
        )
    if given and not job.config.reads_chunks:
        hint = "leave the input out, or keep the section `self_instruct` and choose another `mode` to have both"
        raise BadConfig(f"--input chunks, which mode {mode} does not read", where="instruct", hint=hint)
