"""One contract, two backends: what holds for a folder holds for a bucket."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from contract.failures import BadConfig, BadInput, RemoteTrouble
from contract.uris import parse_uri
from stagekit.store import open_store

RACE = """
import sys, time
from stagekit.store import open_store
store = open_store(sys.argv[1])
while time.time() < float(sys.argv[3]): pass
print(store.create("winner", sys.argv[2].encode()))
"""


def names(entries) -> list[str]:
    return [entry.name for entry in entries]


def test_an_object_is_there_whole_or_not_at_all(store):
    assert store.read("a/b") is None
    assert store.stat("a/b") is None
    store.write("a/b", b"one")
    store.write("a/b", b"second")
    assert store.read("a/b") == b"second"
    assert store.stat("a/b").size == 6
    store.delete("a/b")
    store.delete("a/b")
    assert store.read("a/b") is None


def test_empty_and_large_objects(store, tmp_path):
    store.write("empty", b"")
    assert (store.read("empty"), store.stat("empty").size) == (b"", 0)
    large = tmp_path / "large"
    large.write_bytes(os.urandom(7 << 20))
    store.upload("large", large)
    folder = tmp_path / "copies"
    folder.mkdir()
    assert store.fetch("large", folder).read_bytes() == large.read_bytes()
    assert store.fetch("nothing", folder) is None


def test_listing_is_sorted_complete_and_below_the_root_only(store, root):
    for name in ("b/2", "a", "b/10", "b/1", "b.txt", "c/d/e"):
        store.write(name, b"x")
    assert names(store.list()) == ["a", "b.txt", "b/1", "b/10", "b/2", "c/d/e"]
    assert names(store.list("b/")) == ["b/1", "b/10", "b/2"]
    assert names(store.list("b/1")) == ["b/1", "b/10"]
    assert names(store.list("nothing/")) == []
    assert names(open_store(root.child("c")).list()) == ["d/e"]
    assert next(iter(store.list("a"))) == store.stat("a")


def test_odd_names_are_names(store):
    for name in ("ümlaut/ß", "space in it", "percent%20", "plus+", "日本"):
        store.write(name, name.encode())
        assert store.read(name) == name.encode()
        assert store.stat(name).size == len(name.encode())
    assert len(names(store.list())) == 5


def test_tags_are_replaced_where_a_store_has_them(store):
    store.write("a", b"x")
    assert {store.label("a", {"recipe": "r", "version": v}) for v in "12"} == {store.root.scheme == "s3"}
    assert not store.label("nothing", {"recipe": "r"})
    if store.root.scheme == "s3":
        assert store.client.get_object_tags(store.root.bucket, store._key("a")) == {"recipe": "r", "version": "2"}


def test_of_two_creators_the_first_wins(store):
    assert store.create("x/y", b"first")
    assert not store.create("x/y", b"second")
    assert store.read("x/y") == b"first"


def test_sixteen_racing_processes_have_one_winner(root, store):
    """Sixteen processes, started by a clock; the content is the winner's, whole."""
    import time

    start = str(time.time() + 3)
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(root), f"process {n}", start], env=env, stdout=subprocess.PIPE
        )
        for n in range(16)
    ]
    answers = [process.communicate()[0].strip() for process in processes]
    assert sorted(answers) == [b"False"] * 15 + [b"True"]
    assert store.read("winner") == f"process {answers.index(b'True')}".encode()
    assert names(store.list()) == ["winner"]


def test_readers_never_see_half_an_object(store):
    values = [bytes([n]) * 200_000 for n in range(8)]
    store.write("x", values[0])
    with ThreadPoolExecutor(8) as pool:
        writes = [pool.submit(store.write, "x", value) for value in values]
        reads = [pool.submit(store.read, "x") for _ in range(40)]
    assert all(write.result() is None for write in writes)
    assert {read.result() for read in reads} <= set(values)


def test_a_folder_that_may_not_be_written_is_bad_input(tmp_path):
    if os.getuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(BadInput, match="no permission"):
        open_store(str(tmp_path / "x")).write("a", b"")


def test_a_file_where_a_folder_should_be_is_trouble_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RemoteTrouble, match=r"cannot write: .*Try:"):
        open_store(str(tmp_path / "file")).write("a", b"")


def test_s3_without_credentials_says_what_to_set(monkeypatch):
    for name in ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY"):
        monkeypatch.delenv(f"NOCTURNE_S3_{name}", raising=False)
    with pytest.raises(BadConfig, match="NOCTURNE_S3_ENDPOINT, NOCTURNE_S3_ACCESS_KEY, NOCTURNE_S3_SECRET_KEY not set"):
        open_store("s3://bucket/x")


def test_an_s3_server_that_is_not_there_is_remote_trouble(monkeypatch):
    for name, value in {"ENDPOINT": "http://127.0.0.1:9", "ACCESS_KEY": "a", "SECRET_KEY": "b"}.items():
        monkeypatch.setenv(f"NOCTURNE_S3_{name}", value)
    with pytest.raises(RemoteTrouble, match="does not answer"):
        open_store("s3://bucket/x").read("a")


@pytest.mark.needs_docker
def test_s3_tells_wrong_keys_from_a_missing_bucket(s3_env, bucket, monkeypatch):
    with pytest.raises(BadInput, match="there is no bucket"):
        open_store(parse_uri(f"s3://{bucket}-not-there/x")).write("a", b"")
    monkeypatch.setenv("NOCTURNE_S3_SECRET_KEY", "wrong")
    with pytest.raises(BadConfig, match="refused the credentials") as caught:
        open_store(f"s3://{bucket}/x").write("a", b"")
    assert "wrong" not in str(caught.value).replace("SECRET_KEY", "")
