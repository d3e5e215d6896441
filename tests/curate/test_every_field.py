"""Each field of every curate stage's config, changed, changes a result; a field without a case fails."""

import json
import os
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from contract.records import Decision, Document, Sample
from contract.stages import BY_NAME
from contract.uris import parse_uri
from curate.publish.conclude import conclude
from curate.web.cache import PageCache
from curate_cases_of_comparisons import COMPARISON_CASES, NEAR
from curate_cases_of_samples import SAMPLE_CASES
from curate_cases_of_sources import SOURCE_CASES
from curate_rows import (
    DOCUMENTS,
    FILES,
    ORIGINAL,
    QUESTION,
    SAMPLES,
    VERDICTS,
)
from curate_texts import read, sample, write_classifier, write_dataset, write_tokenizer
from every_field import Seen, check, missing_cases, run
from hub_server import HubServer
from model_hub import ModelHub
from site_server import Reply, Site, article
from stagekit.request import build_request
from stagekit.run import run_stage
from stagekit.store import open_store
from tiny_onnx import write_model

CARD = """---
configs:
- config_name: all
  default: true
  data_files: [{split: train, path: train.jsonl}, {split: test, path: test.jsonl}]
- config_name: small
  data_files: small.jsonl
---
"""
HUB_FILES = {
    "README.md": CARD.encode(),
    "train.jsonl": b'{"text": "A row."}\n{"text": "Another row."}\n',
    "test.jsonl": b'{"text": "A row to test with."}\n',
    "small.jsonl": b'{"text": "A small row."}\n',
}
HUB_SERVER = HubServer("someone/stories", HUB_FILES, {"main": "a" * 40, "a" * 40: "a" * 40})
os.environ["HF_ENDPOINT"] = HUB_SERVER.url  # the Hub's client reads it once, when it is imported
CASES = SOURCE_CASES | COMPARISON_CASES | SAMPLE_CASES


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The store's root: files below raw/, and one dataset for each set of rows."""
    root = tmp_path_factory.mktemp("store")
    for name, content in FILES.items():
        path = root / "raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [content] if isinstance(content, dict) else content
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (root / "raw" / "phrases.txt").write_text("nothing of the kind\nbuy NOW\n")
    write_tokenizer(root / "raw" / "by_word.json", r"\s+")
    write_tokenizer(root / "raw" / "by_character.json", "")
    write_classifier(root / "raw" / "model.bin", {"bad": DOCUMENTS["plain"][0].text, "good": "Short text"})
    write_classifier(root / "raw" / "other.bin", {"bad": "Short text", "good": DOCUMENTS["plain"][0].text})
    for name, rows in DOCUMENTS.items():
        write_dataset(root / name, rows, Document)
    write_dataset(root / "verdicts", VERDICTS, Decision, "decide")
    for seed, name in enumerate(("one", "other")):
        vectors = {word: [1.0, n / 9, seed] for n, word in enumerate(["[UNK]", *ORIGINAL])}
        write_model(root / "models" / name, vectors)
    (root / "raw" / "old.txt").write_bytes("Das ist ein café.".encode("cp1252"))
    (root / "raw" / "page.html").write_bytes(article("local"))
    garden = {word: [1.0, 60.0 * (word != "[UNK]")] for word in ("[UNK]", "gardener", "gives", "each")}
    write_model(root / "models" / "garden", garden, longest=64)
    asked = [sample(0, QUESTION, "Seven."), sample(1, "Which question?", QUESTION), sample(2, "A fruit?", "An apple.")]
    for name, some in (SAMPLES | {"asked": asked}).items():
        write_dataset(root / name, some, Sample)
    oldest = build_request(
        BY_NAME["deduplicate"], json.dumps(NEAR | {"keep": "oldest"}), [f"rows={root}/dupes"], f"{root}/before"
    )
    run_stage(oldest)
    return root


@pytest.fixture(scope="module")
def site(store):
    """A site whose feed once listed one page more."""
    with Site() as server:
        server.articles("one", "seen")
        server.paths["/two"] = Reply(article("two", more="<p>It goes on.</p>" * 60), validators=False)
        server.paths["/drips"] = Reply(b"<p>It comes a letter at a time.</p>", drip=0.01, validators=False)
        server.paths["/noai"] = Reply(article("noai"), headers={"X-Robots-Tag": "noai"})
        server.feed("/feed", "/one", "/two")
        server.feed("/slow", "/one", "/drips")
        cache = PageCache(open_store(str(store / "cache" / "web")))
        cache.keep_seen(f"{server.url}/feed", {f"{server.url}/seen": {}})
        yield server


@pytest.fixture(scope="module")
def hub():
    """The Hub with one data set."""
    with HUB_SERVER as server:
        yield server


@pytest.fixture
def seen(store, site, hub, tmp_path, monkeypatch):
    """Runs a stage on a set of rows; what it did with threads and processes is a line of its own."""
    monkeypatch.setenv("NOCTURNE_STORE", str(store))
    threads: set[str] = set()

    class Pool(ThreadPoolExecutor):
        def __init__(self, count: int) -> None:
            threads.add(f"threads {count}")
            super().__init__(count)

    class Processes(ProcessPoolExecutor):
        def __init__(self, count: int, **options) -> None:
            threads.add(f"processes {count}")
            super().__init__(count, **options)

    monkeypatch.setattr("curate.threads.ThreadPoolExecutor", Pool)
    monkeypatch.setattr("curate.processes.ProcessPoolExecutor", Processes)

    def call(stage: str, config: dict, data: str, name: str) -> Seen:
        threads.clear()
        rows, _, decided = data.partition("+")
        inputs = [f"rows={store / rows}"] * bool(rows) + [f"decisions={store / decided}"] * bool(decided)
        config = json.loads(json.dumps(config).replace("SITE", site.url))
        found = run(stage, config, inputs, tmp_path / name).with_lines(threads)
        return found.with_lines(concluded(found.uri)) if config.get("hub") else found

    def concluded(uri: str) -> list[str]:
        with ModelHub() as server:
            monkeypatch.setenv("HF_ENDPOINT", server.url)
            monkeypatch.setenv("HF_TOKEN", "hf_of_the_test")
            conclude(parse_uri(uri), read(uri).manifest)
        return [f"on the hub, private: {place['private']}" for place in server.repositories.values()]

    return call


def test_every_field_has_a_case():
    assert missing_cases("curate", CASES) == {}


@pytest.mark.parametrize(("stage", "case"), [pytest.param(s, c, id=f"{s}.{c.field}") for s in CASES for c in CASES[s]])
def test_the_field_changes_the_result(seen, stage, case):
    check(stage, case, seen(stage, case.base, case.data, "base"), seen(stage, case.changed, case.data, "changed"))
