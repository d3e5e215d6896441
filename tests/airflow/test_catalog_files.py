"""What pages read and write: one contract, a folder and a bucket."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_side.catalog import Catalog, open_catalog
from airflow_side.reviews import DecisionFiles, mark_of
from contract.failures import RemoteTrouble
from contract.records import Decision, Message
from contract.review_files import DrawnSample

CONTENTS = [f"{n:020x}" for n in range(3)]


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.needs_docker)])
def catalog(request, tmp_path, monkeypatch) -> Catalog:
    """The catalog of an empty store, on each backend."""
    if request.param == "local":
        monkeypatch.setenv("NOCTURNE_STORE", f"file://{tmp_path}/store")
        return open_catalog()
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(f"NOCTURNE_S3_{name}", value)
    monkeypatch.setenv("NOCTURNE_STORE", f"s3://{request.getfixturevalue('bucket')}/{uuid.uuid4().hex[:8]}")
    return open_catalog()


def test_an_object_is_there_until_it_is_removed(catalog):
    files = catalog.files
    assert files.read("a/b/c") is None
    assert files.names("a/b") == []
    files.write("a/b/c", b"one")
    files.write("a/b/c", b"two\0\xff")
    files.write("a/b/d", b"")
    assert files.read("a/b/c") == b"two\0\xff"
    assert files.names("a/b") == ["c", "d"]
    assert files.folders("a") == ["b"]
    files.delete("a/b/c")
    files.delete("a/b/c")
    assert files.read("a/b/c") is None
    assert files.names("a/b") == ["d"]


def test_readers_see_the_old_or_the_new_and_never_a_part(catalog):
    files, whole = catalog.files, {bytes([n]) * 200_000 for n in range(8)}
    files.write("a/b", min(whole))
    with ThreadPoolExecutor(8) as several:
        written = [several.submit(files.write, "a/b", data) for data in whole]
        read = [several.submit(files.read, "a/b") for _ in range(30)]
        assert {each.result() for each in read} <= whole
        assert [each.result() for each in written] == [None] * 8
    assert files.names("a") == ["b"], "nothing half-written is left beside it"


def decision(content, reviewer, verdict="accept", moment="2026-01-01T00:00:00Z"):
    return Decision(
        id="", sample_id="s", content=content, reviewer=reviewer, verdict=verdict, comment="Ünï\n", decided_at=moment
    )


def drawn(content):
    return DrawnSample(sample_id="s", content=content, messages=[Message(role="user", content="x")], stratum={})


def test_decisions_are_found_by_what_they_are_about(catalog):
    DecisionFiles(catalog, "sea").put(decision(CONTENTS[0], "ann"))
    DecisionFiles(catalog, "sea").put(decision(CONTENTS[0], "bob", "reject", "2025-01-01T00:00:00Z"))
    DecisionFiles(catalog, "sea").put(decision(CONTENTS[1], "../ann\n", "reject"))
    DecisionFiles(catalog, "sea").put(decision(CONTENTS[0], "ann", "reject"))
    files = DecisionFiles(catalog, "sea")
    assert files.who == {
        CONTENTS[0]: {mark_of("ann"), mark_of("bob")},
        CONTENTS[1]: {mark_of("../ann\n")},
    }
    found = files.about(drawn(content) for content in CONTENTS)
    assert [(each.reviewer, each.verdict, each.comment) for each in found[CONTENTS[0]]] == [
        ("bob", "reject", "Ünï\n"),
        ("ann", "reject", "Ünï\n"),
    ]
    files.take_back(CONTENTS[0], "bob")
    files.take_back(CONTENTS[2], "nobody")
    assert [*DecisionFiles(catalog, "sea").about([drawn(CONTENTS[0])])[CONTENTS[0]]] == [found[CONTENTS[0]][1]]
    assert DecisionFiles(catalog, "another").who == {}


def test_what_a_disk_says_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("NOCTURNE_STORE", f"file://{tmp_path}")
    (tmp_path / "sea").write_text("a file")
    files = DecisionFiles(open_catalog(), "sea")
    assert files.who == {}
    with pytest.raises(RemoteTrouble, match="the disk says: "):
        files.put(decision(CONTENTS[0], "ann"))
