"""What is written is what is read, in order, whatever the sizes of batches and shards."""

import tempfile
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.failures import RemoteTrouble
from contract.manifest import Manifest, Shard
from contract.records import Document, LedgerEntry, Message, Sample
from contract.uris import parse_uri
from stagekit.dataset import Dataset
from stagekit.destination import LocalDestination
from stagekit.output import Output
from stagekit.schema import arrow_schema, to_batch, to_rows
from stagekit.shards import ShardWriter
from stagekit.store import open_store

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MAYBE = st.none() | TEXT
SAMPLES = st.builds(
    Sample,
    id=TEXT,
    messages=st.lists(
        st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=TEXT), max_size=3
    ),
    document_id=MAYBE,
    start=st.none() | st.integers(0, 2**40),
    parent_ids=st.lists(TEXT, max_size=2),
    scores=st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    tags=st.lists(TEXT, max_size=2),
    split=st.sampled_from([None, "train", "test"]),
)


def write(folder: Path, rows: list, batch_rows: int, shard_rows: int) -> tuple[Dataset, str]:
    """Write rows through the kit; returns the dataset as a reader sees it, and its content hash."""
    address = parse_uri(str(folder))
    place = LocalDestination(address)
    try:
        output = Output(place, Sample, shard_rows)
        for start in range(0, len(rows), batch_rows):
            output.write(rows[start : start + batch_rows])
        shards, dropped, content_hash = output.close()
        manifest = Manifest(
            stage="toy", stage_version=1, key="k", config={}, record="Sample", columns={}, shards=shards,
            dropped_shards=dropped, rows_in=0, rows_out=output.rows, content_hash=content_hash, started="", finished="",
        )  # fmt: skip
        assert place.commit(manifest.model_dump_json().encode())
    finally:
        place.discard()
    return Dataset(address, open_store(address), manifest), content_hash


@given(st.lists(SAMPLES, max_size=12), st.integers(1, 5), st.integers(1, 5), st.integers(1, 7))
def test_rows_come_back_and_sizes_leave_no_trace(rows, batch_rows, shard_rows, read_rows):
    with tempfile.TemporaryDirectory() as folder:
        dataset, content_hash = write(Path(folder) / "a", rows, batch_rows, shard_rows)
        _, of_one_shard = write(Path(folder) / "b", rows, 100, 100)
        assert content_hash == of_one_shard
        read = [row for batch in dataset.batches(read_rows) for row in to_rows(batch, Sample)]
        assert read == rows
        assert [shard.rows for shard in dataset.manifest.shards[:-1]] == [shard_rows] * (
            -(-len(rows) // shard_rows) - 1
        )


@given(st.lists(SAMPLES, max_size=5))
def test_records_survive_arrow(rows):
    batch = to_batch(rows, Sample)
    assert batch.schema == arrow_schema(Sample)
    assert to_rows(batch, Sample) == rows


def test_a_ledger_is_written_in_shards_too(tmp_path):
    place = LocalDestination(parse_uri(str(tmp_path / "x")))
    output = Output(place, Document, shard_rows=2)
    output.rule("short", "too short")
    output.books.open("rows", 5)
    documents = to_batch([Document(id=str(n), text="x" * n) for n in range(5)], Document)
    output.drop(documents, "rows", "short", value=[0.5, 1, None, "a", 4], threshold=10)
    _, dropped, _ = output.close()
    place.discard()
    assert [shard.rows for shard in dropped] == [2, 2, 1]
    assert output.books.close()["rows"].dropped == {"short": 5}


def test_only_opened_accounts_and_described_rules_can_be_booked(tmp_path):
    place = LocalDestination(parse_uri(str(tmp_path / "x")))
    output = Output(place, Document, 10)
    entry = LedgerEntry(account="rows", status="dropped", rule="short", id="1")
    with pytest.raises(KeyError, match="never opened"):
        output.enter([entry])
    output.books.open("rows", 1)
    with pytest.raises(KeyError, match="no description"):
        output.enter([entry])
    output.rule("short", "too short")
    with pytest.raises(ValueError, match="1 came in but 0 are accounted for"):
        output.books.close()
    place.discard()


def test_rows_of_another_shape_are_refused(tmp_path):
    place = LocalDestination(parse_uri(str(tmp_path / "x")))
    output = Output(place, Document, 10)
    with pytest.raises((ValueError, pa.ArrowInvalid)):
        output.write(pa.RecordBatch.from_pydict({"id": ["1"], "other": ["x"]}))
    place.discard()


def test_what_goes_wrong_while_writing_is_raised_by_the_next_call(tmp_path):
    def lost(shard: Shard, path: Path) -> None:
        raise RemoteTrouble("the store is gone", where=shard.path)

    writer = ShardWriter(tmp_path, "data", arrow_schema(Document), 2, lost)
    documents = to_batch([Document(id=str(n), text="x") for n in range(9)], Document)
    with pytest.raises(RemoteTrouble, match="the store is gone"):
        writer.write(documents)
    writer.abandon()
    writer = ShardWriter(tmp_path, "data", arrow_schema(Document), 20, lost)
    writer.write(documents)
    with pytest.raises(RemoteTrouble):
        writer.close()


def test_a_stopped_writer_touches_nothing_any_more(tmp_path):
    place = LocalDestination(parse_uri(str(tmp_path / "x")))
    output = Output(place, Document, 1)
    output.write(to_batch([Document(id=str(n), text="x" * 100_000) for n in range(50)], Document))
    output.abandon()
    place.discard()
    assert list(tmp_path.iterdir()) == []


def test_what_fails_in_the_background_is_raised_by_the_next_call(tmp_path):
    (tmp_path / "data" / "open.parquet").mkdir(parents=True)
    batch = to_batch([Document(id=str(n), text="x") for n in range(5)], Document)
    writer = ShardWriter(tmp_path, "data", batch.schema, 10, lambda shard, path: None)
    writer.write(batch)
    with pytest.raises(OSError, match=r"open\.parquet"):
        writer.close()
    writer.abandon()
    assert not any(thread.name.startswith("write-data") for thread in threading.enumerate())


def test_files_are_announced_in_order_by_the_thread_that_writes_batches(tmp_path):
    heard = []
    batch = to_batch([Document(id=str(n), text="x" * n) for n in range(25)], Document)
    writer = ShardWriter(
        tmp_path, "data", batch.schema, 10, lambda shard, path: heard.append((shard, path, threading.get_ident()))
    )
    writer.write(batch)
    assert writer.close() == [shard for shard, _, _ in heard]
    assert [(shard.rows, path.stat().st_size) for shard, path, _ in heard] == [
        (rows, shard.bytes) for rows, (shard, _, _) in zip((10, 10, 5), heard, strict=True)
    ]
    assert {ident for _, _, ident in heard} == {threading.get_ident()}
