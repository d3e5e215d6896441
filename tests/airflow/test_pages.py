"""The pages in Airflow's UI, through the real API server, on a store that real stages have filled."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>"
SENTENCE = f"The lighthouse {EVIL} keeper counts the ships of every night in a long and careful list. "


@pytest.fixture(scope="module")
def viewer(signed_in):
    """What a signed-in user who may only look sends."""
    return signed_in("vera")


def stage(folder, name, config, *arguments):
    """Runs a stage of the image `curate` in its venv; returns its result."""
    images = ROOT / "images"
    env = os.environ | {"PYTHONPATH": f"{images / 'shared'}:{images / 'curate'}", "NOCTURNE_RECIPE": "sea"}
    python = str(ROOT / ".venv" / "curate" / "bin" / "python")
    command = [python, "-m", "curate", name, "--config", json.dumps(config), "--output", f"{folder}/sea/{name}/"]
    done = subprocess.run([*command, *arguments], env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store with ten documents with markup in every field, two of them too short, ingested and filtered."""
    folder = tmp_path_factory.mktemp("store")
    rows = [{"id": f"{EVIL}{n}", "text": SENTENCE * (20 if n > 1 else 1), "title": EVIL} for n in range(10)]
    source = folder / "raw" / "rows.jsonl"
    source.parent.mkdir()
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    fields = {"id": "id", "title": "title"}
    ingested = stage(folder, "ingest", {"sources": [{"uri": str(source), "fields": fields}]})
    return folder, stage(folder, "filter", {"length": {"minimum": 1000}}, "--input", f"rows={ingested['uri']}")


@pytest.fixture
def store(filled, monkeypatch):
    """The result of the last stage of that store, which the settings name."""
    folder, result = filled
    monkeypatch.setenv("NOCTURNE_STORE", f"file://{folder}")
    return result


def page_of(store):
    return f"/nocturne/sea/filter/{store['uri'].rpartition('/')[2]}"


def test_nothing_is_shown_to_anybody_who_has_not_signed_in(client, store):
    from airflow_side.pages.app import app

    paths = [(method, route.path) for route in app.routes for method in route.methods]
    assert len(paths) == 11
    names = {"recipe": "sea", "stage": "filter", "key": "latest", "content": "0" * 20}
    names |= {"name": "style.css", "name:path": "preview.json"}
    query = {"dag_id": "refresh_demo", "run_id": "x", "task_id": "filter"}
    for method, path in paths:
        url = re.sub(r"{(.*?)}", lambda found: names[found[1]], path)
        assert client.request(method, f"/nocturne{url}", params=query).status_code == 401, path


def test_datasets_are_listed(client, viewer, store):
    assert '<a href="./sea">sea</a>' in client.get("/nocturne/", headers=viewer).text
    assert store["uri"].rpartition("/")[2][:8] in client.get("/nocturne/sea", headers=viewer).text


def test_dataset_shows_funnel_rules_examples_and_relatives(client, viewer, store):
    text = client.get(page_of(store), headers=viewer).text
    assert re.search(r"filter</a>.*?>10</td>.*?>8</td>.*?too_short 2", text, re.DOTALL)
    assert "ingest</a>" in text
    assert "Made from" in text
    parent = re.search(r'href="\.\./\.\./(sea/ingest/\w{20})"', text)
    assert parent
    assert "filter " in client.get(f"/nocturne/{parent[1]}", headers=viewer).text.partition("Used by")[2]


def test_planted_markup_stays_text(client, viewer, store):
    text = client.get(page_of(store), headers=viewer).text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text
    assert "<img" not in text
    missing = client.get("/nocturne/sea/filter/%3Cscript%3Ealert(1)%3C%2Fscript%3E", headers=viewer).text
    assert "<script>alert" not in missing


def test_pages_allow_no_foreign_script_and_reports_run_in_a_sandbox(client, viewer, store):
    page = client.get(page_of(store), headers=viewer)
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert 'target="_blank"' not in page.text
    assert not re.findall(r"(?:href|src)=\"/", page.text)  # relative, so that a path prefix works
    file = client.get(f"{page_of(store)}/files/preview.json", headers=viewer)
    assert file.headers["content-security-policy"].startswith("sandbox allow-scripts;")
    assert file.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    [
        "sea/filter/latest/files/..%2f..%2fmanifest.json",
        "sea/filter/KEY/files/manifest.json",
        "sea/filter/KEY/files/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "sea/filter/..%2f..",
        "sea/%2e%2e/raw",
        "..%2fraw",
        "raw",
        "sea/nonsense/KEY",
        "_static/..%2fapp.py",
    ],
)
def test_names_that_are_no_dataset_lead_nowhere(client, viewer, store, name):
    key = store["uri"].rpartition("/")[2]
    answer = client.get(f"/nocturne/{name.replace('KEY', key)}", headers=viewer)
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_damaged_manifest_is_said_to_be_damaged(client, viewer, filled, tmp_path, monkeypatch):
    folder, store = filled
    shutil.copytree(folder, tmp_path / "copy")
    monkeypatch.setenv("NOCTURNE_STORE", f"file://{tmp_path}/copy")
    manifest = Path(store["uri"].removeprefix("file://").replace(str(folder), f"{tmp_path}/copy"), "manifest.json")
    manifest.write_text(manifest.read_text()[:300])
    answer = client.get(page_of(store), headers=viewer)
    assert answer.status_code == 500
    assert "manifest cannot be read" in answer.text


def test_plugin_loads_and_leaves_no_module_behind(client, viewer):
    assert client.get("/api/v2/plugins/importErrors", headers=viewer).json()["import_errors"] == []
    assert not {"settings", "secrets", "docker"} & {
        name for name, module in sys.modules.items() if "airflow_side" in str(getattr(module, "__file__", ""))
    }
