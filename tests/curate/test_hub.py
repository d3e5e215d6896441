"""Data sets of the Hub, streamed through the real client from a server that speaks as much of its interface."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.records import Document
from curate_texts import read
from hub_server import HubServer

OLD, NEW = "0" * 40, "a" * 40


def parquet(*texts: str) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({"text": texts, "title": [f"Title {n}" for n in range(len(texts))]}), file)
    return file.getvalue()


FILES = {
    "README.md": b"# Stories\n",
    "data/train-00000-of-00001.parquet": parquet("First story.", "Second story.", "Third story."),
    "data/test-00000-of-00001.parquet": parquet("A story to test with."),
}


@pytest.fixture
def hub(tmp_path):
    with HubServer("someone/stories", FILES, {"main": NEW, "v1": OLD, NEW: NEW, OLD: OLD}) as server:
        yield server


@pytest.fixture
def ingest(hub, run_stage, tmp_path):
    def call(uri="hub://someone/stories", **options):
        env = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hub"), "HF_HUB_DISABLE_TELEMETRY": "1"}
        return run_stage("curate", "ingest", {"sources": [{"uri": uri, "hub": options}]}, env=env)

    return call


def test_a_splits_rows_are_streamed_at_one_commit_that_is_recorded(ingest, hub):
    dataset = read(ingest(take=2).result["uri"])
    rows = list(dataset.records(Document))
    assert [(row.text, row.title) for row in rows] == [("First story.", "Title 0"), ("Second story.", "Title 1")]
    assert {(row.source, row.license) for row in rows} == {("stories", "CC-BY-4.0")}
    assert [parent.uri for parent in dataset.manifest.parents] == [f"hub://someone/stories@{NEW}"]
    assert not any("test-" in asked or f"resolve/{OLD}" in asked for asked in hub.asked)
    hub.asked.clear()
    assert ingest(take=2).result["reused"]
    assert [asked for asked in hub.asked if "/api/datasets" in asked or "resolve" in asked] == [
        "GET /api/datasets/someone/stories/revision/main"
    ], "the commit is all that has to be known"


def test_split_and_revision_are_chosen(ingest, hub):
    dataset = read(ingest(split="test", revision="v1").result["uri"])
    assert [row.text for row in dataset.records(Document)] == ["A story to test with."]
    assert [parent.uri for parent in dataset.manifest.parents] == [f"hub://someone/stories@{OLD}"]


WRONG = {
    "no such data set": ({"uri": "hub://someone/else"}, 200, 11, "the Hub has no such data set"),
    "no such split": ({"split": "valid"}, 200, 11, "Available splits: ['train', 'test']"),
    "closed": ({}, 403, 10, "set HF_TOKEN"),
    "broken": ({}, 500, 13, "the Hub does not answer"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_read_says_why(ingest, hub, case):
    options, hub.status, exit_code, message = WRONG[case]
    ended = ingest(**options)
    assert ended.exit_code == exit_code, ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
