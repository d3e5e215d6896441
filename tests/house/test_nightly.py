"""The nightly case over the whole house: only what is new or changed is paid for, and the release says what moved.

The recipe is `llm_twin` as it is shipped, its model behind a local server of OpenAI's protocol; articles, benchmarks
and general samples are real.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import ROOT, SHARED_DATA, Runner
from contract.recipe import Recipe, load_recipe
from contract.release import Release
from house.chain import folder_of, put_articles, put_benchmarks, rows_of, walk
from llm_server import Behaviour, LlmServer, Seen

ARTICLES, ADDED, LONGEST = 20, 3, 9_000
NEW_ENDING = " ".join(f"Then the editor wrote line {n} of a closing chapter that nobody had read." for n in range(20))
EXTRACT = re.compile(r"-{8}\n(.*)\n-{8}", re.DOTALL)


@dataclass(frozen=True)
class Night:
    """One night: what each step returned, what the server was asked, the samples and the newest release after it."""

    results: dict[str, dict]
    asked: list[Seen]
    samples: list[dict]
    release: Release

    @property
    def extracts(self) -> list[str]:
        """The chunks that were sent."""
        return [EXTRACT.search(seen.body["messages"][1]["content"])[1] for seen in self.asked]

    @property
    def chunks(self) -> dict[str, str]:
        """Text of each chunk -> its document."""
        return {row["text"]: row["document_id"] for row in rows_of(self.results["chunk"], ["text", "document_id"])}


@dataclass(frozen=True)
class Nights:
    """Three nights, and what was done to the articles between the first two."""

    store: Path
    first: Night
    second: Night
    third: Night
    added: set[str]
    changed: str
    removed: str


@pytest.fixture(scope="module")
def nights(tmp_path_factory, real_data) -> Nights:
    """Twenty articles; then three more, one changed, one removed; then nothing new."""
    store = tmp_path_factory.mktemp("store")
    put_benchmarks(store, real_data)
    _put_general(store, real_data)
    articles = _short_articles(real_data)
    before, new = articles[:ARTICLES], articles[ARTICLES:]
    changed = before[4] | {"content": f"{before[4]['content']} {NEW_ENDING}"}
    after = [changed if article is before[4] else article for article in before if article is not before[11]] + new
    with LlmServer(Behaviour()) as server:
        recipe = _recipe(server.url)
        walked = [_night(recipe, store, server, some) for some in (before, after, after)]
    return Nights(store, *walked, {article["id"] for article in new}, changed["id"], before[11]["id"])


@pytest.fixture(scope="module")
def real_data() -> Path:
    """The folder of real inputs."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real inputs at {SHARED_DATA} (set NOCTURNE_SHARED_DATA)")
    return SHARED_DATA


def _short_articles(real_data: Path) -> list[dict]:
    """The first short ones of the file, as many as are needed."""
    whole = json.loads((real_data / "articles.json").read_text())["artifact_data"]
    found = [article for article in whole if len(article["content"]) < LONGEST][: ARTICLES + ADDED]
    assert len(found) == ARTICLES + ADDED
    return found


def _put_general(store: Path, real_data: Path) -> None:
    """Forty general pairs in Alpaca's layout."""
    tasks = [json.loads(line) for line in (real_data / "seed_tasks.jsonl").read_text().splitlines()[:40]]
    rows = [{"instruction": task["instruction"], **task["instances"][0]} for task in tasks]
    folder = store / "raw" / "general"
    folder.mkdir(parents=True)
    (folder / "pairs.json").write_text(json.dumps(rows))


def _recipe(url: str) -> Recipe:
    shipped = load_recipe(ROOT / "dags" / "recipes" / "llm_twin.yaml")
    return shipped.model_copy(update={"instruct": shipped.instruct.model_copy(update={"base_url": url, "pairs": 2})})


def _night(recipe: Recipe, store: Path, server: LlmServer, articles: list[dict]) -> Night:
    put_articles(store, articles)
    results = walk(recipe, Runner("process", store), store)
    published = folder_of(results["publish"]).parent
    release = Release.model_validate_json((published / "latest.json").read_text())
    return Night(results, server.forget(), list(rows_of(results["publish"])), release)


def test_the_first_night_asks_for_every_chunk_once(nights):
    assert sorted(nights.first.extracts) == sorted(nights.first.chunks)
    assert nights.first.release.version == 1
    assert {sample["document_id"] for sample in nights.first.samples} - {None} == set(nights.first.chunks.values())


def test_the_second_night_asks_for_new_and_changed_chunks_only(nights):
    fresh = {text: document for text, document in nights.second.chunks.items() if text not in nights.first.chunks}
    assert sorted(nights.second.extracts) == sorted(fresh)
    assert set(fresh.values()) == {*nights.added, nights.changed}


def test_the_second_release_names_exactly_what_moved(nights):
    release = nights.second.release
    assert (release.version, release.previous) == (2, 1)
    assert release.key == folder_of(nights.second.results["publish"]).name
    assert release.change
    assert set(release.change.added_documents) == nights.added
    assert release.change.changed_documents == [nights.changed]
    assert release.change.removed_documents == [nights.removed]
    before, after = ({sample["id"] for sample in night.samples} for night in (nights.first, nights.second))
    assert (release.change.added, release.change.removed) == (len(after - before), len(before - after))


def test_samples_that_did_not_change_stay_in_their_split(nights):
    before, after = ({s["id"]: s["split"] for s in night.samples} for night in (nights.first, nights.second))
    shared = before.keys() & after.keys()
    assert len(shared) > 0.9 * len(before) * (ARTICLES - 2) / ARTICLES
    assert {id: before[id] for id in shared} == {id: after[id] for id in shared}
    assert set(before.values()) == {"train", "test"}


def test_a_night_with_nothing_new_does_nothing(nights):
    assert nights.third.asked == []
    assert all(result["reused"] for result in nights.third.results.values())
    assert nights.third.release == nights.second.release
    published = folder_of(nights.third.results["publish"]).parent
    assert sorted(path.name for path in (published / "versions").iterdir()) == ["0001.json", "0002.json"]
