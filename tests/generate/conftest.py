"""What the tests of the LLM stages share."""

import pytest

from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import InProcess, Instruct
from llm_server import Behaviour, LlmServer


@pytest.fixture
def llm():
    """A server of the protocol; `behave(...)` sets its faults."""
    with LlmServer(Behaviour()) as server:
        yield server


@pytest.fixture
def few(tmp_path) -> str:
    """Six chunks of two documents."""
    return write_chunks(tmp_path, synthetic_chunks(2, 3), "few")


@pytest.fixture
def instruct(tmp_path, llm, few) -> Instruct:
    """Runs the stage with a model on six chunks, in this process."""
    return Instruct(InProcess(tmp_path), few, llm)
