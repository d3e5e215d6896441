"""ingest as a stage: order, ledger, limits, and the books."""

import json

import pytest

from contract.records import Document
from curate_texts import read


def write_lines(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(value) for value in values))


@pytest.fixture
def source(tmp_path):
    """A folder with good records in three formats, and seven that must be rejected, each for another reason."""
    folder = tmp_path / "raw"
    bad = [{"text": ""}, {"text": 5}, {"title": "no text"}, {"id": "1", "text": "again"}, {"text": "x" * 2_000}]
    write_lines(folder / "b.jsonl", [{"id": str(n), "text": f"Line {n}."} for n in range(20)] + bad)
    with (folder / "b.jsonl").open("ab") as file:
        file.write(b"\n{broken\n\xff\n")
    (folder / "a.csv").write_text("id,text\nc1,From a table.\n")
    (folder / "deep").mkdir()
    (folder / "deep" / "note.md").write_text("# Note\n\nFrom a file.")
    (folder / ".hidden").write_text("never read")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    return folder


def config(folder, **more):
    return {"sources": [{"uri": str(folder), "name": "raw", "fields": {"id": "id"}}], "max_row_bytes": 1_000, **more}


def test_every_record_is_kept_or_in_the_ledger_with_file_and_line(run_anywhere, source):
    result = run_anywhere("curate", "ingest", config(source, max_rejected=0.5)).result
    dataset = read(result["uri"])
    ids = [document.id for document in dataset.records(Document)]
    assert ids[:2] == ["c1", "0"]
    assert len(ids) == 22, "file names order the files, records keep their order inside them"
    ledger = {entry.detail: entry.rule for entry in dataset.ledger()}
    assert ledger == {
        "raw/b.jsonl line 21": "blank_text",
        "raw/b.jsonl line 22": "text_not_text",
        "raw/b.jsonl line 23": "missing_text",
        "raw/b.jsonl line 24": "duplicate_id",
        "raw/b.jsonl line 25": "too_long",
        "raw/b.jsonl line 26": "broken_record",
        "raw/b.jsonl line 27": "broken_encoding",
        "raw/photo.png": "unknown_format",
    }
    account = dataset.manifest.accounts["records"]
    assert (account.total, account.kept, sum(account.dropped.values())) == (30, 22, 8)
    assert dataset.manifest.metrics == {"files": 4, "records": 30, "rejected": 8, "repaired": 0}


def test_too_many_rejects_fail_the_run_and_name_the_first_three(run_stage, source):
    ended = run_stage("curate", "ingest", config(source))
    assert ended.exit_code == 11
    assert "8 of 30 records rejected" in ended.stderr
    assert "raw/b.jsonl line 21 (blank_text" in ended.stderr
    assert "line 23" in ended.stderr
    assert "line 24" not in ended.stderr
    assert "expected 10% at most" in ended.stderr


def test_the_same_bytes_come_out_of_any_shard_size_and_a_renamed_folder(run_stage, source, tmp_path):
    first = run_stage("curate", "ingest", config(source, max_rejected=0.5)).result
    source.rename(tmp_path / "moved")
    second = run_stage("curate", "ingest", config(tmp_path / "moved", max_rejected=0.5, shard_rows=3)).result
    assert second["content_hash"] == first["content_hash"]
    assert len(read(second["uri"]).manifest.shards) == 8


def test_an_id_is_unique_across_sources(run_stage, tmp_path):
    write_lines(tmp_path / "one.jsonl", [{"url": "https://a.example/1", "text": "Old text."}])
    write_lines(tmp_path / "two.jsonl", [{"url": "https://a.example/1", "text": "New text."}, {"text": "Other."}])
    sources = [{"uri": str(tmp_path / name), "name": "web"} for name in ("one.jsonl", "two.jsonl")]
    dataset = read(run_stage("curate", "ingest", {"sources": sources, "max_rejected": 0.5}).result["uri"])
    assert [document.text for document in dataset.records(Document)] == ["Old text.", "Other."]
    (entry,) = dataset.ledger()
    assert (entry.rule, entry.detail, entry.id) == (
        "duplicate_id",
        "web/two.jsonl line 1",
        next(dataset.records(Document)).id,
    )


def test_a_folders_licence_file_speaks_for_documents_that_name_none(run_stage, tmp_path):
    folder = tmp_path / "raw"
    write_lines(
        folder / "a.jsonl", [{"text": "One."}, {"text": "Two.", "license": "https://opensource.org/licenses/MIT"}]
    )
    (folder / "LICENSE").write_text("Creative Commons Attribution 4.0 International\n\nCreative Commons Corporation")
    dataset = read(run_stage("curate", "ingest", {"sources": [{"uri": str(folder)}]}).result["uri"])
    assert [document.license for document in dataset.records(Document)] == ["CC-BY-4.0", "MIT"]
    assert dataset.manifest.rows_in == 2, "the licence itself is no record"
