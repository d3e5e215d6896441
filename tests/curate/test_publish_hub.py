"""publish on the Hugging Face Hub: what gets there and what does not, once, and what a refusal leaves behind."""

import json

import pytest

from contract.records import Sample
from curate_texts import read, sample, write_dataset
from model_hub import ModelHub

CONFIG = {"hub": "owner/name", "test_share": 0.3}


@pytest.fixture
def hub():
    with ModelHub() as server:
        yield server


@pytest.fixture
def publish(run_stage, tmp_path, hub):
    """Publishes so many samples; a version's folder is named by its key."""

    def run(number, token="hf_of_the_test", **config):
        uri = tmp_path / f"in {number}"
        if not uri.exists():
            rows = [sample(n, f"Question number {n}?", f"Answer {n}, at length.", f"d{n}") for n in range(number)]
            write_dataset(uri, rows, Sample)
        env = {"HF_ENDPOINT": hub.url, "HF_TOKEN": token}
        return run_stage("curate", "publish", CONFIG | config, [("rows", str(uri))], env=env)

    return run


def test_rows_layouts_and_card_are_there_and_nothing_else(publish, hub, tmp_path):
    dataset = read(publish(20).result["uri"])
    place = hub.repositories["owner/name"]
    assert (place["kind"], place["private"]) == ("dataset", True)
    layouts = [f"{layout}/{split}.jsonl" for layout in ("alpaca", "openai") for split in ("test", "train")]
    shards = [shard.path for shard in dataset.manifest.shards]
    assert sorted(place["files"]) == sorted(["README.md", *shards, *layouts])
    for name, data in place["files"].items():
        assert data == (tmp_path / dataset.uri.removeprefix("file://") / name).read_bytes()
    assert b'load_dataset("owner/name", "openai")' in place["files"]["README.md"]
    assert place["tags"] == {f"nocturne-{dataset.manifest.content_hash[:12]}": place["commits"][0]}


def test_a_version_goes_once_and_the_next_one_takes_its_place(publish, hub):
    publish(20, shard_rows=5)
    assert publish(20, shard_rows=5).result["reused"]
    place = hub.repositories["owner/name"]
    assert (len(place["commits"]), len(place["tags"])) == (1, 1)
    assert sum(name.startswith("data/") for name in place["files"]) == 4
    shard = read(publish(21).result["uri"]).manifest.shards[0].path
    assert (len(place["commits"]), len(place["tags"])) == (2, 2)
    assert [name for name in place["files"] if name.startswith("data/")] == [shard]
    assert (
        len(place["files"]["openai/train.jsonl"].splitlines() + place["files"]["openai/test.jsonl"].splitlines()) == 21
    )


@pytest.mark.parametrize(("status", "code"), [(403, 10), (503, 13)])
def test_a_hub_that_refuses_ends_the_stage_and_a_later_try_only_pushes(publish, hub, tmp_path, status, code):
    hub.status = status
    ended = publish(20)
    assert (ended.exit_code, "the hub" in ended.stderr, "Traceback" in ended.stderr) == (code, True, False)
    assert "hf_of_the_test" not in ended.stderr + ended.stdout
    assert json.loads((tmp_path / "publish" / "latest.json").read_text())["version"] == 1, "published here already"
    hub.status = 200
    assert publish(20).result["reused"]
    assert len(hub.repositories["owner/name"]["commits"]) == 1


def test_without_a_token_it_says_so(publish, hub):
    ended = publish(20, token="")
    assert (ended.exit_code, "`publish.hub` is set but HF_TOKEN is not" in ended.stderr) == (10, True)
    assert hub.asked == []
