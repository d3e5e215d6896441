"""publish: no leak, a split that stays, files that load, versions that say what changed."""

import hashlib
import shutil
import threading
from pathlib import Path

import orjson
import pytest

from contract.manifest import File
from contract.records import Chunk, Document, Message, Preference, Sample
from contract.release import Release
from contract.uris import parse_uri
from curate.publish.conclude import conclude
from curate.publish.difference import difference
from curate.publish.layouts import LAYOUTS
from curate_texts import cross_pairs, read, sample, write_dataset


def test_layouts():
    turns = [("system", "Be kind"), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "See you")]
    one = Sample(id="s", messages=[Message(role=role, content=content) for role, content in turns])
    assert LAYOUTS["alpaca"](one) == [
        {"instruction": "Bye", "input": "System: Be kind\n\nUser: Hi\n\nAssistant: Hello", "output": "See you"}
    ]
    assert [turn["from"] for turn in LAYOUTS["sharegpt"](one)[0]["conversations"]] == [
        "system", "human", "gpt", "human", "gpt",
    ]  # fmt: skip
    assert [(line["message_id"], line["parent_id"]) for line in LAYOUTS["oasst"](one)][:2] == [
        ("s/0", ""),
        ("s/1", "s/0"),
    ]
    scored = one.model_copy(update={"scores": {"rate": 4.5, "judge": 3.0}})
    assert [line["labels"] for line in LAYOUTS["oasst"](scored)][-2:] == [
        {"name": [], "value": [], "count": []},
        {"name": ["judge", "rate"], "value": [3.0, 4.5], "count": [1, 1]},
    ]
    assert LAYOUTS["text"](one)[0]["text"].endswith("Bye\n\nSee you")


FORMATS = ["openai", "alpaca", "sharegpt", "oasst", "text"]


@pytest.fixture
def published(run_stage, tmp_path):
    """Publishes samples through the stage's own process; returns the result."""

    def publish(rows, **config):
        number = len(list(tmp_path.glob("in*")))
        uri = write_dataset(tmp_path / f"in{number}", rows, Sample)
        env = {"NOCTURNE_RECIPE": "demo"}
        return run_stage("curate", "publish", config, [("rows", uri)], f"{tmp_path}/publish/", env).result

    return publish


def rows_per_document(documents: dict[str, str]) -> list[Sample]:
    return [
        sample(f"{name}-{i}", f"What does {name} say in part {i}?", f"{text} part {i} of {name}", name)
        for name, text in documents.items()
        for i in range(3)
    ]


def test_every_layout_loads_with_datasets(published, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    import datasets

    rows = rows_per_document({f"d{i}": f"Text | number {i}\n“quoted” é" for i in range(30)})
    result = published(rows, formats=FORMATS, test_share=0.1, license="mit", title="Düsseldorf: a test")
    folder = result["uri"].removeprefix("file://")
    expected = {"train": result["metrics"]["train_rows"], "test": result["metrics"]["test_rows"]}
    assert sum(expected.values()) == 90
    for layout in FORMATS:
        loaded = datasets.load_dataset(folder, layout, cache_dir=str(tmp_path / "cache"))
        messages = 2 if layout == "oasst" else 1
        assert {split: len(data) // messages for split, data in loaded.items()} == expected
    default = datasets.load_dataset(folder, cache_dir=str(tmp_path / "cache"))
    answers = {row["messages"][1]["content"] for row in default["test"]}
    assert answers == {row.answer for row in read(result["uri"]).records(Sample) if row.split == "test"}


def preferred(row: Sample, **changes) -> Preference:
    answers = {"chosen": row.answer, "rejected": f"not {row.answer}", "chosen_rating": 4.5, "rejected_rating": 2.0}
    return Preference(id=row.id, messages=row.messages[:-1], **answers | changes)


def with_preferences(folder, preferences: list[Preference]) -> str:
    """A dataset with a file of preferences, as evolve writes it."""
    uri = write_dataset(folder, [], Sample, "evolve")
    data = b"".join(orjson.dumps(preference.model_dump()) + b"\n" for preference in preferences)
    (folder / "preferences.jsonl").write_bytes(data)
    stored = File(path="preferences.jsonl", bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    manifest = read(uri).manifest.model_copy(update={"files": [stored]})
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    return uri


def test_preferences_go_out_with_their_samples(run_stage, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    import datasets

    rows = rows_per_document({f"article-{i}": f"Text {i}" for i in range(20)})
    gone = sample("gone", "A question that was dropped", "with its answer", "article-1")
    given = [preferred(row) for row in rows]
    evolved = with_preferences(
        tmp_path / "evolved", [*given[:-1], preferred(rows[-1], chosen="changed"), preferred(gone)]
    )
    inputs = [("rows", write_dataset(tmp_path / "rows", rows, Sample)), ("preferences", evolved)]
    result = run_stage("curate", "publish", {"test_share": 0.2}, inputs, f"{tmp_path}/publish/").result
    made = read(result["uri"])
    account = made.manifest.accounts["preferences"]
    assert (account.total, account.kept) == (61, 59)
    assert account.dropped == {"sample_changed": 1, "sample_gone": 1}
    assert {entry.id for entry in made.ledger()} == {gone.id, rows[-1].id}
    loaded = datasets.load_dataset(result["uri"].removeprefix("file://"), "preferences", cache_dir=str(tmp_path / "c"))
    side = {row.id: row.split for row in made.records(Sample)}
    assert {id: split for split, data in loaded.items() for id in data["id"]} == {
        preference.id: side[preference.id] for preference in given[:-1]
    }
    first = loaded["train"][0]
    assert first["prompt"][-1]["role"] == "user"
    assert first["chosen"] == [{"role": "assistant", "content": next(r.answer for r in rows if r.id == first["id"])}]
    assert first["rejected"][0]["content"].startswith("not ")
    assert (first["chosen_rating"], first["rejected_rating"]) == (4.5, 2.0)


def test_no_preferences_leave_no_trace(run_stage, tmp_path):
    rows = rows_per_document({f"article-{i}": f"Text {i}" for i in range(20)})
    without = write_dataset(tmp_path / "without", [], Sample, "evolve")
    inputs = [("rows", write_dataset(tmp_path / "rows", rows, Sample)), ("preferences", without)]
    made = read(run_stage("curate", "publish", {}, inputs, f"{tmp_path}/publish/").result["uri"])
    assert "preferences" not in made.manifest.accounts
    assert "preferences" not in made.file("README.md").read_text()


def release(folder, name="latest.json") -> Release:
    return Release.model_validate_json((folder / name).read_text())


def test_a_night_later_the_difference_names_what_changed(published, tmp_path):
    folder = tmp_path / "publish"
    first = {f"article-{i}": f"Text {i}" for i in range(20)}
    one = published(rows_per_document(first))
    assert release(folder).version == 1
    assert release(folder).change is None
    second = {name: text for name, text in first.items() if name != "article-4"} | {"article-7": "Rewritten"}
    second |= {f"fresh-{i}": f"New {i}" for i in range(3)}
    two = published(rows_per_document(second))
    latest = release(folder)
    assert (latest.version, latest.previous, latest.key) == (2, 1, two["uri"].rpartition("/")[2])
    change = latest.change
    assert change.added_documents == ["fresh-0", "fresh-1", "fresh-2"]
    assert change.removed_documents == ["article-4"]
    assert change.changed_documents == ["article-7"]
    assert (change.added, change.removed, change.changed) == (9, 3, 3)
    assert change.statistics["rows"] == (60, 66)
    assert published(rows_per_document(second))["reused"]
    assert release(folder) == latest, "publishing the same again is no new version"
    published(rows_per_document(first))
    assert release(folder).version == 3
    assert release(folder).key == one["uri"].rpartition("/")[2]
    assert release(folder).change.removed_documents == ["fresh-0", "fresh-1", "fresh-2"]
    assert sorted(path.name for path in (folder / "versions").iterdir()) == ["0001.json", "0002.json", "0003.json"]
    shutil.rmtree(folder / latest.key)
    published(rows_per_document({"article-1": "x", "article-2": "y"}))
    assert release(folder).version == 4


def test_documents_are_compared_by_their_text_where_the_store_still_has_it(tmp_path):
    """Which samples survive depends on the neighbours too; only the documents' texts say which of them changed."""

    def version(name, texts, rows):
        documents = write_dataset(tmp_path / f"{name}-d", [Document(id=i, text=t) for i, t in texts.items()], Document)
        chunks = write_dataset(tmp_path / f"{name}-c", [], Chunk, stage="chunk", parents=[("rows", documents)])
        samples = write_dataset(tmp_path / name, rows, Sample, stage="instruct", parents=[("chunks", chunks)])
        return read(samples)

    rows = rows_per_document({"same": "x", "edited": "y", "gone": "z"})
    before = version("before", {"same": "One.", "edited": "Two.", "gone": "Three."}, rows)
    after = version("after", {"same": "One.", "edited": "Two!", "fresh": "Four."}, rows[1:6])
    change = difference(before, after)
    assert change.changed_documents == ["edited"], "not the one that lost a sample"
    assert (change.added_documents, change.removed_documents) == (["fresh"], ["gone"])
    assert (change.added, change.removed, change.changed) == (0, 4, 0)
    shutil.rmtree(tmp_path / "before-d")
    assert difference(before, after).changed_documents == ["same"], "by the samples, as nothing else is left"


def test_a_kill_between_version_and_pointer_is_mended(published, tmp_path):
    folder = tmp_path / "publish"
    published(rows_per_document({"a": "x", "b": "y"}))
    (folder / "latest.json").unlink()
    published(rows_per_document({"a": "x", "b": "y"}))
    assert release(folder).version == 1


def test_runs_that_publish_at_once_get_a_number_each(tmp_path):
    folder = tmp_path / "publish"
    keys = [f"key{n}" for n in range(6)]
    datasets = [read(write_dataset(folder / key, rows_per_document({key: "x"}), Sample, "publish")) for key in keys]
    threads = [threading.Thread(target=conclude, args=(parse_uri(d.uri), d.manifest)) for d in datasets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    releases = [release(folder, f"versions/{n:04d}.json") for n in range(1, 7)]
    assert sorted(r.key for r in releases) == keys
    assert [r.previous for r in releases] == [None, 1, 2, 3, 4, 5]
    assert release(folder) == releases[-1]


def test_the_content_hash_ignores_shards_and_a_test_split_that_cannot_be_is_said(run_stage, tmp_path):
    rows = rows_per_document({f"d{i}": f"Text {i}" for i in range(40)})
    hashes = set()
    for shard_rows in (7, 1000):
        uri = write_dataset(tmp_path / f"in{shard_rows}", rows, Sample, shard_rows=shard_rows)
        output = f"{tmp_path}/out{shard_rows}/"
        result = run_stage("curate", "publish", {"shard_rows": shard_rows}, [("rows", uri)], output).result
        hashes.add(result["content_hash"])
    assert len(hashes) == 1
    uri = write_dataset(tmp_path / "one", rows_per_document({"only": "x"}), Sample)
    ended = run_stage("curate", "publish", {}, [("rows", uri)])
    assert ended.exit_code == 11
    assert "test split would be empty" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_real_articles_split_without_leaks(shared_data, run_stage):
    source = {"uri": str(shared_data / "articles.json"), "records_at": "artifact_data", "text": ["content"]}
    source |= {"fields": {"id": "id", "title": "title", "author": "author_full_name", "url": "link"}}
    steps = [
        ("curate", "ingest", {"sources": [source]}, ""),
        ("curate", "clean", {"mappers": ["plain"]}, "rows"),
        ("curate", "chunk", {"minimum": 1000, "maximum": 2000}, "rows"),
        ("generate", "instruct", {"pairs": 3}, "chunks"),
        ("curate", "publish", {}, "rows"),
    ]
    result = {}
    for image, stage, config, port in steps:
        result = run_stage(image, stage, config, [(port, result["uri"])] if port else []).result
    rows = list(read(result["uri"]).records(Sample))
    test = {row.id: row.split == "test" for row in rows}
    assert len({row.document_id for row in rows}) > 70
    assert 0.01 < sum(test.values()) / len(rows) < 0.15
    assert not cross_pairs(rows, test, 0.7)


def test_the_card_says_what_judges_and_reviewers_said(published):
    rows = rows_per_document({f"d{i}": f"Text number {i}" for i in range(12)})
    scored = [row.model_copy(update={"scores": {"rate": float(n)}, "tags": ["accepted"]}) for n, row in enumerate(rows)]
    card = (Path(published(scored)["uri"].removeprefix("file://")) / "README.md").read_text()
    assert "| rate | 36 | 0 | 17.5 | 17.5 | 35 |" in card
    assert "36 accepted, 0 edited" in card
    assert "## Scores" not in (Path(published(rows)["uri"].removeprefix("file://")) / "README.md").read_text()
