"""Which version fine-tuning takes: the one that started the run, or the one that was asked for."""

import pytest

from airflow_side.dataset_task import choose_dataset
from contract.failures import BadInput
from contract.release import Release

EVENT = {"uri": "file:///elsewhere", "content_hash": "ee", "rows": 5, "parents": {}}


@pytest.fixture
def published(tmp_path, monkeypatch):
    monkeypatch.setenv("NOCTURNE_STORE", f"file://{tmp_path}")
    folder = tmp_path / "demo" / "publish"
    (folder / "versions").mkdir(parents=True)
    for number in (1, 2):
        key = str(number) * 20
        when = "2026-01-01T00:00:00Z"
        release = Release(version=number, key=key, content_hash=f"h{number}", rows=number, published_at=when)
        for name in (f"versions/{number:04}.json", "latest.json"):
            (folder / name).write_text(release.model_dump_json())
    return f"file://{tmp_path}/demo/publish"


def test_latest_without_an_event_is_the_newest_version(published):
    assert choose_dataset("demo", "latest", None) == {"uri": f"{published}/{'2' * 20}", "content_hash": "h2", "rows": 2}


def test_event_that_started_the_run_wins_over_latest(published):
    assert choose_dataset("demo", "latest", EVENT)["uri"] == "file:///elsewhere"


def test_version_asked_for_wins_over_the_event(published):
    assert choose_dataset("demo", "1", EVENT)["content_hash"] == "h1"


def test_what_is_not_there_is_said_to_be_missing(published):
    with pytest.raises(BadInput, match="no version '7'"):
        choose_dataset("demo", "7", None)
    with pytest.raises(BadInput, match="no finished dataset"):
        choose_dataset("demo", "file:///nowhere/at/all", None)


def test_nothing_published_yet_says_which_dag_to_run(published):
    with pytest.raises(BadInput, match="run refresh_other first"):
        choose_dataset("other", "latest", None)
