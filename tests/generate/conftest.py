"""What the tests of the LLM stages share."""

import pytest
import yaml

from conftest import ROOT, SHARED_DATA, Runner
from judge_runs import Judge
from judge_server import JudgeServer
from llm_chunks import synthetic_chunks, write_chunks
from llm_runs import InProcess, Instruct
from llm_server import Behaviour, LlmServer


@pytest.fixture
def llm():
    """A server of the protocol; `behave(...)` sets its faults."""
    with LlmServer(Behaviour()) as server:
        yield server


@pytest.fixture
def server():
    """A server that judges; `script` says how."""
    with JudgeServer() as running:
        yield running


@pytest.fixture
def judge(tmp_path, server) -> Judge:
    """Runs the stage with that server, in this process."""
    return Judge(tmp_path, server)


@pytest.fixture
def few(tmp_path) -> str:
    """Six chunks of two documents."""
    return write_chunks(tmp_path, synthetic_chunks(2, 3), "few")


@pytest.fixture
def instruct(tmp_path, llm, few) -> Instruct:
    """Runs the stage with a model on six chunks, in this process."""
    return Instruct(InProcess(tmp_path), few, llm)


@pytest.fixture(scope="session")
def article_chunks(tmp_path_factory) -> str:
    """The five hundred chunks of the articles by the llm_twin recipe's own settings; nothing where there are none."""
    if not SHARED_DATA.is_dir():
        return ""
    recipe = yaml.safe_load((ROOT / "dags/recipes/llm_twin.yaml").read_text())
    recipe["ingest"]["sources"][0]["uri"] = str(SHARED_DATA / "articles.json")
    uri, runner = "", Runner("process", tmp_path_factory.mktemp("articles"))
    for stage in ("ingest", "clean", "chunk"):
        uri = runner("curate", stage, recipe[stage], [("rows", uri)] if uri else []).result["uri"]
    return uri
