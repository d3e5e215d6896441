"""What a site may ask of us and is given: rules, pace, rights, a second try; and what we never fetch."""

from itertools import pairwise

import pytest

from contract.failures import BadInput, RemoteTrouble
from site_server import Reply, article, documents, ledger


def test_robots_txt_is_heeded_also_in_what_it_says_of_pace(night, site):
    site.paths["/robots.txt"] = Reply(b"User-agent: nocturne\nDisallow: /two\nCrawl-delay: 0.3\n", type="text/plain")
    dataset, _ = night()
    assert ledger(dataset) == {"two": ("dropped", "robots", "robots.txt")}
    times = [asked.at for asked in site.forget() if asked.path != "/robots.txt"]
    assert len(times) == 3
    assert all(later - earlier >= 0.28 for earlier, later in pairwise(times))
    site.paths["/robots.txt"] = Reply(b"User-agent: *\nDisallow: /", type="text/plain")
    with pytest.raises(BadInput, match=r"robots.txt keeps us out"):
        night()


def test_nobody_knows_the_rules_of_a_site_whose_robots_txt_is_broken(night, site):
    site.paths["/robots.txt"] = Reply(status=503)
    with pytest.raises(RemoteTrouble, match=r"robots.txt: HTTP 503"):
        night()
    assert {asked.path for asked in site.asked} == {"/robots.txt"}


def test_a_busy_site_is_asked_again_when_it_said(night, site):
    site.paths["/two"] = [Reply(status=429, headers={"Retry-After": "1"}), Reply(article("two"))]
    assert len(documents(night()[0])) == 3
    tries = [asked.at for asked in site.asked if asked.path == "/two"]
    assert len(tries) == 2
    assert tries[1] - tries[0] >= 0.95
    site.forget()
    site.paths["/two"] = Reply(status=429, headers={"Retry-After": "86400"}, validators=False)
    night(max_failed=0.5)
    assert len([asked for asked in site.asked if asked.path == "/two"]) == 1, "nobody waits a day"


def test_private_addresses_are_refused_also_behind_a_redirect(night, site, monkeypatch):
    with pytest.raises(BadInput, match=r"the address is not public.*web.allow_private"):
        night("/one", allow_private=False)
    assert not site.asked, "nothing was sent"
    monkeypatch.setattr("curate.web.addresses.is_public", lambda address: address == "127.0.0.1")
    port = site.url.rpartition(":")[2]
    site.paths["/two"] = Reply(status=302, headers={"Location": f"http://[::1]:{port}/secret"})
    site.paths["/three"] = Reply(status=302, headers={"Location": f"http://localhost:{port}/one"})
    dataset, _ = night(allow_private=False, max_failed=1)
    assert ledger(dataset)["two"] == ("failed", "fetch_failed", "robots.txt: the address is not public")


def test_reserved_rights_are_heeded_or_recorded(night, site):
    site.paths["/one"] = Reply(article("one"), headers={"tdm-reservation": "1"})
    site.paths["/two"] = Reply(article("two", '<meta name="robots" content="index, noai">'))
    dataset, _ = night(max_rejected=0)
    assert ledger(dataset) == {
        "one": ("dropped", "rights_reserved", "tdm-reservation"),
        "two": ("dropped", "rights_reserved", "noai"),
    }
    found = documents(night(reserved="record")[0])
    assert [found[name].metadata.get("reserved") for name in ("one", "two", "three")] == [
        "tdm-reservation",
        "noai",
        None,
    ]
