"""A dataset appears whole or not at all, whatever happens to its writer, and what was damaged is never used."""

import json
import random
import signal
import time
import uuid
from pathlib import Path

import pytest

from contract.manifest import MANIFEST
from contract.uris import parse_uri
from stagekit.dataset import open_dataset
from stagekit.store import open_store

LINES = ["one", "# two", *(f"line {number}" for number in range(30))]


def below(folder: Path) -> list[str]:
    """What is in a folder, hidden things included."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_run_killed_at_any_moment_leaves_nothing_visible_and_the_next_one_cleans_up(toy):
    whole = toy.ingest(LINES, f"{toy.folder}/whole/").result
    out = toy.folder / "out"
    moments = random.Random(7)
    for _ in range(4):
        process = toy.start_ingest(LINES, f"{out}/", shard_rows=4, TOY="slow")
        while not any(name.startswith(".building-") for name in below(out)):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 1.2))
        process.kill()
        process.communicate()
        assert not list(out.glob(f"*/{MANIFEST}"))
    result = toy.ingest(LINES, f"{out}/", shard_rows=4).result
    assert below(out) == [Path(result["uri"]).name]
    assert result["content_hash"] == whole["content_hash"]


def test_a_run_that_is_asked_to_end_takes_its_folder_with_it(toy):
    out = toy.folder / "out"
    process = toy.start_ingest(LINES, f"{out}/", TOY="slow")
    while not below(out):
        time.sleep(0.01)
    process.terminate()
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert below(out) == []


def test_a_folder_of_the_longest_name_is_written(toy):
    name = "ä" * 127
    assert toy.ingest(LINES, f"{toy.folder}/out/{name}").result["rows"]
    assert below(toy.folder / "out") == [name]


def test_a_living_run_is_left_alone_by_another_one(toy):
    """The second run finds a folder in the making; its owner lives, so it must not be cleaned away."""
    out = toy.folder / "out"
    slow = toy.start_ingest(LINES, f"{out}/", TOY="slow")
    while not below(out):
        time.sleep(0.01)
    quick = toy.ingest(LINES, f"{out}/").result
    stdout, stderr = slow.communicate()
    assert slow.returncode == 0, stderr
    assert json.loads(stdout)["content_hash"] == quick["content_hash"]
    assert below(out) == [Path(quick["uri"]).name]


@pytest.mark.parametrize("backend", ["local", pytest.param("s3", marks=pytest.mark.needs_docker)])
def test_four_runs_of_one_key_at_once_end_with_one_dataset(toy, backend, request):
    if backend == "s3":
        toy.env = request.getfixturevalue("s3_env")
        out = f"s3://{request.getfixturevalue('bucket')}/{uuid.uuid4().hex[:8]}/"
    else:
        out = f"{toy.folder}/out/"
    runs = [toy.start_ingest(LINES, out, shard_rows=8, TOY_BATCH=str(n + 1)) for n in range(4)]
    ends = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, [stderr for _, stderr in ends]
    results = [json.loads(stdout) for stdout, _ in ends]
    assert len({result["uri"] for result in results}) == 1
    assert len({result["content_hash"] for result in results}) == 1
    dataset = open_dataset(parse_uri(results[0]["uri"]))
    dataset.check_sizes()
    assert sum(batch.num_rows for batch in dataset.batches()) == len(LINES) - 1
    if backend == "local":
        assert below(toy.folder / "out") == [Path(results[0]["uri"]).name]


def rows_of(dataset) -> list[dict]:
    return [row for batch in dataset.batches() for row in batch.to_pylist()]


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.needs_docker)])
def ingested(request, toy):
    """A dataset on each backend, and its store."""
    if request.param == "s3":
        toy.env = request.getfixturevalue("s3_env")
        out = f"s3://{request.getfixturevalue('bucket')}/{uuid.uuid4().hex[:8]}/"
    else:
        out = f"{toy.folder}/out/"
    uri = toy.ingest(LINES, out, shard_rows=8).result["uri"]
    return uri, open_store(uri), out


def first_shard(store) -> str:
    return next(entry.name for entry in store.list("data/"))


def flip_a_byte(store) -> None:
    name = first_shard(store)
    data = bytearray(store.read(name))
    data[len(data) // 2] ^= 1
    store.write(name, bytes(data))


def cut_shard(store) -> None:
    store.write(first_shard(store), store.read(first_shard(store))[:-10])


def lose_shard(store) -> None:
    store.delete(first_shard(store))


def cut_manifest(store) -> None:
    store.write(MANIFEST, store.read(MANIFEST)[:-100])


def falsify_manifest(store) -> None:
    store.write(MANIFEST, store.read(MANIFEST).replace(b'"rows_out": 31', b'"rows_out": 30'))


DAMAGE = {
    flip_a_byte: "its SHA-256 differs",
    cut_shard: "its SHA-256 differs",
    lose_shard: "is missing",
    cut_manifest: "manifest cannot be read",
    falsify_manifest: "rows_out says 30 but the shards hold 31",
}


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_is_found_before_it_is_read(toy, ingested, damage):
    uri, store, _ = ingested
    damage(store)
    ended = toy.clean(uri, f"{toy.folder}/cleaned/")
    assert (ended.exit_code, ended.stdout) == (15, "")
    assert DAMAGE[damage] in ended.stderr
    assert "Try: delete that folder" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert below(toy.folder / "cleaned") == []


@pytest.mark.parametrize("damage", [cut_shard, lose_shard, cut_manifest])
def test_damage_is_found_before_it_is_reused(toy, ingested, damage):
    _, store, out = ingested
    damage(store)
    again = toy.ingest(LINES, out, shard_rows=8)
    assert again.exit_code == 15, again.stderr
    assert "Try: delete that folder" in again.stderr


def test_an_exact_output_of_another_config_is_refused_with_what_differs(toy):
    out = f"{toy.folder}/exact"
    toy.ingest(LINES, out)
    ended = toy.ingest([*LINES, "more"], out)
    assert ended.exit_code == 10
    assert "another dataset is there already; its inputs differ" in ended.stderr


def test_a_foreign_folder_is_never_written_to(toy):
    out = toy.folder / "precious"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    ended = toy.ingest(LINES, str(out))
    assert ended.exit_code == 10
    assert "not empty and holds no manifest.json" in ended.stderr
    assert below(out) == ["thesis.txt"]


def test_what_comes_out_of_one_stage_goes_into_the_next(toy, ingested):
    uri, _, _ = ingested
    cleaned = toy.clean(uri, f"{toy.folder}/cleaned/").result
    assert cleaned["content_hash"] != ""
    ours, theirs = open_dataset(parse_uri(cleaned["uri"])), open_dataset(parse_uri(uri))
    assert rows_of(ours) == rows_of(theirs)
    assert ours.manifest.parents[0].content_hash == theirs.manifest.content_hash
    assert ours.manifest.accounts["rows"].kept == ours.manifest.rows_in == len(LINES) - 1
