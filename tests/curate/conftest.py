"""A site, and nights on which it is read."""

import json

import pytest

from contract.stages import BY_NAME
from site_server import Site
from stagekit.dataset import open_dataset
from stagekit.request import build_request, find_reusable
from stagekit.run import run_stage


@pytest.fixture
def site():
    with Site() as server:
        server.articles("one", "two", "three")
        server.feed("/feed", "/one", "/two", "/three")
        yield server


@pytest.fixture
def night(site, tmp_path, monkeypatch):
    """One night's ingest of a path of the site; returns the dataset and whether an old one was reused."""
    monkeypatch.setenv("NOCTURNE_STORE", str(tmp_path))

    def call(path="/feed", max_rejected=0.5, **web):
        source = {key: web.pop(key) for key in ("format", "encoding", "extract", "fields", "metadata") if key in web}
        options = {"contact": "me@a.example", "delay": 0.0, "allow_private": True, "timeout": 2.0, **web}
        config = {"sources": [{"uri": site.url + path, "name": "site", "web": options, **source}]}
        request = build_request(
            BY_NAME["ingest"], json.dumps(config | {"max_rejected": max_rejected}), [], f"{tmp_path}/out/"
        )
        reused = find_reusable(request) is not None
        if not reused:
            run_stage(request)
        return open_dataset(request.address), reused

    return call
