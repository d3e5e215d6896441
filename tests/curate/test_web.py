"""Sources on the web against a real server: what is asked for, what is kept, what a site can do to us."""

import json

import pytest

from contract.failures import BadInput, Failure, RemoteTrouble
from contract.records import Document
from contract.stages import BY_NAME
from curate.web.tidy import KEPT
from site_server import PARAGRAPH, Reply, article, documents, ledger
from stagekit.request import build_request


def test_a_feeds_pages_become_documents_of_their_main_text(night, site):
    dataset, _ = night()
    found = documents(dataset)
    assert set(found) == {"one", "two", "three"}
    assert PARAGRAPH.format(name="one").strip() in found["one"].text
    assert "Home" not in found["one"].text
    assert "Cookies" not in found["one"].text
    assert (found["one"].title, found["one"].language) == ("The one article", "en")
    assert found["one"].created_at == "2026-03-03T10:00:00Z", "the page gives no date, the feed does"
    assert {asked.headers["user-agent"] for asked in site.asked} == {"Nocturne (+me@a.example)"}


def test_a_night_with_nothing_new_fetches_no_body_and_keeps_the_key(night, site):
    first, _ = night()
    assert sorted(asked.path for asked in site.forget()) == ["/feed", "/one", "/robots.txt", "/three", "/two"]
    second, reused = night()
    asked = site.forget()
    assert reused
    assert second.address == first.address
    assert all(request.conditional for request in asked if request.path != "/robots.txt")
    assert {request.status for request in asked if request.path != "/robots.txt"} == {304}
    assert sum(request.sent for request in asked if request.status == 200) == 0


def test_one_changed_page_is_the_only_body_fetched(night, site):
    before, _ = night()
    site.forget()
    site.paths["/two"] = Reply(article("two", more="<p>One more paragraph was written here on the second day.</p>"))
    after, reused = night()
    assert not reused
    assert [asked.path for asked in site.forget() if asked.status == 200] == ["/two"]
    old, new = documents(before), documents(after)
    assert [name for name in new if new[name] != old[name]] == ["two"]
    assert new["two"].id == old["two"].id


@pytest.mark.parametrize(("keep", "left"), [(True, {"one", "two", "three"}), (False, {"three"})])
def test_pages_that_a_feed_lists_no_more_stay_if_they_shall(night, site, keep, left):
    night(keep_seen=keep)
    site.feed("/feed", "/three")
    assert set(documents(night(keep_seen=keep)[0])) == left


def test_a_page_that_is_gone_goes_from_the_dataset_for_good(night, site):
    night()
    site.feed("/feed", "/three")
    site.paths["/one"] = Reply(status=410)
    second, _ = night()
    assert set(documents(second)) == {"two", "three"}
    site.forget()
    third, reused = night()
    assert reused, "nothing changed since"
    assert "/one" not in {asked.path for asked in site.forget()}
    assert third.address == second.address


def test_a_listed_page_that_is_gone_is_in_the_ledger(night, site):
    site.feed("/feed", "/one", "/nowhere")
    dataset, _ = night(max_rejected=0)
    assert ledger(dataset) == {"nowhere": ("dropped", "gone", "HTTP 404")}
    assert dataset.manifest.accounts["records"].total == 2


def test_sitemaps_are_followed_through_their_index_and_gzip(night, site):
    site.sitemap("/part.xml.gz", "/one", "/two")
    site.sitemap("/other.xml", "/three")
    site.sitemap("/sitemap.xml", "/part.xml.gz", "/other.xml", index=True)
    assert set(documents(night("/sitemap.xml")[0])) == {"one", "two", "three"}
    assert set(documents(night("/sitemap.xml", exclude="t[wh]")[0])) == {"one"}
    assert set(documents(night("/sitemap.xml", include="/t", max_pages=1)[0])) == {"two"}


def test_a_sitemap_may_be_plain_text_and_a_feed_atom(night, site):
    site.paths["/list.txt"] = Reply(f"{site.url}/one\n{site.url}/two\n".encode(), type="text/plain")
    assert set(documents(night("/list.txt", kind="sitemap")[0])) == {"one", "two"}
    entry = '<entry><title>T</title><link href="/three"/><link rel="license" href="http://creativecommons.org/licenses/by/4.0/"/></entry>'
    site.paths["/atom"] = Reply(
        f'<feed xmlns="http://www.w3.org/2005/Atom">{entry}</feed>'.encode(), type="application/atom+xml"
    )
    assert documents(night("/atom")[0])["three"].license == "CC-BY-4.0"


SEEMS_DEAD = {
    "cut off": Reply(article("two"), cut=True),
    "timed out": Reply(b"x" * 200, drip=0.5),
    "HTTP 503": Reply(status=503, validators=False),
    "over 2000 bytes": Reply(b"<p>" + b"x" * 5_000),
    "HTTP 403": Reply(status=403, validators=False),
    "over 5 redirects": Reply(status=302, headers={"Location": "/two"}),
    "redirected to no web address": Reply(status=302, headers={"Location": "file:///etc/passwd"}),
}


@pytest.mark.parametrize("why", SEEMS_DEAD)
def test_a_failing_page_is_in_the_ledger_or_too_many_end_the_run(night, site, why):
    site.paths["/two"] = SEEMS_DEAD[why]
    options = {"timeout": 0.4, "max_bytes": 2_000}
    dataset, _ = night(max_failed=0.4, max_rejected=0, **options)
    assert set(documents(dataset)) == {"one", "three"}
    assert ledger(dataset) == {"two": ("failed", "fetch_failed", why)}
    with pytest.raises(
        RemoteTrouble, match=rf"1 of 3 pages failed \({why} 1\), first http\S+/two; expected 10% at most"
    ):
        night(**options)


def test_a_failing_page_that_was_there_before_stays_as_it_was(night, site):
    first, _ = night()
    site.paths["/two"] = Reply(status=503, validators=False)
    second, reused = night(max_failed=0.5)
    assert not reused, "another config"
    assert second.manifest.content_hash == first.manifest.content_hash


def test_a_page_says_who_wrote_it_when_and_under_which_licence(night, site):
    head = """<link rel="canonical" href="/canonical"><link rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/deed.de">
    <script type="application/ld+json">{"@graph": [{"@type": "BlogPosting", "author": {"name": "Ada"},
    "datePublished": "2026-01-02"}]}</script>"""
    site.paths["/one"] = Reply(article("one", head))
    (document,) = night("/one")[0].records(Document)
    assert (document.author, document.created_at, document.license) == ("Ada", "2026-01-02", "CC-BY-SA-4.0")
    assert document.url == f"{site.url}/canonical"
    site.paths["/two"] = Reply(article("two", '<link rel="canonical" href="https://elsewhere.example/">'))
    assert [document.url for document in night("/two")[0].records(Document)] == [f"{site.url}/two"]


@pytest.mark.parametrize("declared", ["header", "meta", "nothing"])
def test_a_pages_encoding_is_what_it_declares(night, site, declared):
    text = "<p>Größe, Maß und Süßes: naïve Wörter über einen Fluß, geschrieben in der alten Zeit.</p>" * 3
    meta = "<meta charset='ISO-8859-1'>" if declared == "meta" else ""
    kind = "text/html; charset=iso-8859-1" if declared == "header" else "text/html"
    site.paths["/old"] = Reply(f"<html><head>{meta}</head><body>{text}</body></html>".encode("cp1252"), type=kind)
    if declared == "nothing":
        with pytest.raises(BadInput, match="broken_encoding"):
            night("/old", kind="page")
        return
    (document,) = night("/old", kind="page")[0].records(Document)
    assert "Größe, Maß" in document.text
    assert document.metadata == {"encoding": "cp1252"}


def test_files_on_the_web_are_read_by_their_type_or_ending(night, site):
    lines = b'{"text": "From a line."}\n{"text": "From another."}\n'
    site.paths["/rows.jsonl"] = Reply(lines, type="application/octet-stream")
    dataset, _ = night("/rows.jsonl")
    assert [document.text for document in dataset.records(Document)] == ["From a line.", "From another."]
    site.paths["/notes.md"] = Reply(b"---\nlicense: MIT License\n---\n# Notes\n\nText.", type="text/plain")
    (notes,) = night("/notes.md")[0].records(Document)
    assert (notes.title, notes.license, notes.url) == ("Notes", "MIT", f"{site.url}/notes.md")
    site.paths["/film"] = Reply(b"x", type="video/mp4")
    site.feed("/feed", "/film", "/one")
    assert ledger(night()[0]) == {"film": ("dropped", "unknown_format", "video/mp4")}


WRONG = {
    "nothing there": ("/nowhere", {}, BadInput, r"the address is gone \(HTTP 404\)"),
    "closed": ("/closed", {}, BadInput, "the address cannot be had: HTTP 403"),
    "not a feed": ("/one", {"kind": "feed"}, BadInput, "neither RSS nor Atom; expected a feed"),
    "not a sitemap": ("/bad.xml", {"kind": "sitemap"}, BadInput, "not XML"),
    "entities": ("/bomb.xml", {"kind": "sitemap"}, BadInput, "a document type"),
    "part of a sitemap": ("/index.xml", {}, RemoteTrouble, "a part of the sitemap cannot be read: HTTP 404"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_address_that_is_not_what_it_should_be_says_so(night, site, case):
    site.paths |= {
        "/closed": Reply(status=403),
        "/bad.xml": Reply(b"<urlset><url>"),
        "/bomb.xml": Reply(b'<!DOCTYPE x [<!ENTITY a "b">]><urlset/>'),
    }
    site.sitemap("/index.xml", "/absent.xml", index=True)
    path, options, failure, message = WRONG[case]
    with pytest.raises(failure, match=message):
        night(path, **options)


def test_a_dead_site_is_worth_another_try(tmp_path):
    web = {"contact": "me@a.example", "allow_private": True, "delay": 0}
    config = {"sources": [{"uri": "http://127.0.0.1:9/feed", "web": web}]}
    with pytest.raises(Failure, match=r"the site does not answer: robots.txt: no connection") as caught:
        build_request(BY_NAME["ingest"], json.dumps(config), [], f"{tmp_path}/out/")
    assert caught.value.exit_code == 13


def test_the_cache_does_not_grow_with_the_nights(night, site, tmp_path):
    """Two sources, one of which changes each night with its feed; the other one's page is never fetched again."""
    night("/three")
    for number in range(KEPT + 4):
        site.paths["/two"] = Reply(article("two", more=f"<p>Paragraph number {number} was written on that day.</p>"))
        site.feed("/feed", "/one", "/two", *["/three"] * (number % 2))
        dataset, _ = night()
        assert f"number {number}" in documents(dataset)["two"].text
    kept = {name: len(list((tmp_path / "cache/web" / name).rglob("*.*"))) for name in ("snapshots", "answers")}
    assert kept == {"snapshots": KEPT + 1, "answers": 4}
    bodies = [path for path in (tmp_path / "cache/web/bodies").rglob("*") if path.is_file()]
    assert len(bodies) == KEPT + len(["one", "three", "feed"])
    site.forget()
    assert night()[1]
    assert night("/three")[1]
    assert {asked.status for asked in site.asked if asked.path != "/robots.txt"} == {304}


def test_a_page_that_went_with_its_snapshots_is_fetched_anew(night, site, tmp_path):
    for number in range(KEPT + 2):
        site.feed("/feed", *(["/one"] if number else ["/one", "/three"]))
        site.paths["/one"] = Reply(article("one", more=f"<p>Paragraph number {number} was written on that day.</p>"))
        night(keep_seen=False)
    site.feed("/feed", "/one", "/three")
    site.forget()
    assert set(documents(night(keep_seen=False)[0])) == {"one", "three"}
    assert [asked.status for asked in site.asked if asked.path == "/three"] == [200]
