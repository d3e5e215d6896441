"""The review page through Airflow's real API server, on samples that real stages drew, until they are applied."""

import html
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from contract.agreement import report
from contract.records import Decision
from review_store import EVIL, ReviewStore

HOSTILE = "../../eve"


@pytest.fixture(scope="module")
def drawn_once(tmp_path_factory):
    """A store with eight samples to review by two people each."""
    store = ReviewStore(tmp_path_factory.mktemp("store"), {"reviewers": 2, "topic": "none"})
    return store, store.refresh()["review"]


@pytest.fixture
def store(drawn_once, monkeypatch):
    """That store, without any decision."""
    found, _ = drawn_once
    monkeypatch.setenv("NOCTURNE_STORE", f"file://{found.folder}")
    for path in (found.folder / "sea" / "decisions").glob("*"):
        path.unlink()
    return found


@pytest.fixture
def samples(drawn_once):
    return drawn_once[0].drawn(drawn_once[1])


@pytest.fixture
def pages(drawn_once):
    """Where the draw's pages are."""
    return f"/nocturne/sea/review/{drawn_once[1]['uri'].rpartition('/')[2]}/samples"


@pytest.fixture
def decide(client, signed_in, pages):
    """Sends the form of a sample as somebody."""

    def send(name, sample, verdict, headers=None, **fields):
        sent = {"verdict": verdict} | {field.replace("_", "-"): value for field, value in fields.items()}
        who = signed_in(name) if headers is None else headers
        return client.post(f"{pages}/{sample['content']}", data=sent, headers=who, follow_redirects=False)

    return send


@pytest.fixture
def see(client, signed_in, pages):
    """The page of a sample as somebody sees it."""

    def get(name, sample=None):
        return client.get(f"{pages}/{sample['content']}" if sample else pages, headers=signed_in(name)).text

    return get


def test_two_people_decide_and_the_next_refresh_applies_it(store, samples, decide, see, drawn_once):
    accepted, edited, rejected, split = samples[:4]
    better = [turn["content"] for turn in edited["messages"]]
    better[1] = "A better\nanswer"
    for name in ("ann", "bob"):
        assert decide(name, accepted, "accept", check_0="on").status_code == 303
        assert decide(name, rejected, "reject", comment="Wrong.").status_code == 303
    decide("ann", edited, "edit", turn_0=better[0], turn_1="A better\r\nanswer")
    decide("bob", edited, "accept")
    decide("ann", split, "accept")
    assert len(store.decisions()) == 7
    assert "<b>67%</b>" in see("vera"), "of three samples that two people saw, they agreed about two"
    refreshed = store.refresh()
    metrics = store.manifest(refreshed["review"])["metrics"]
    assert {name: metrics[name] for name in ("accepted", "edited", "rejected", "decisions_applied")} == {
        "accepted": 2, "edited": 1, "rejected": 1, "decisions_applied": 7,
    }  # fmt: skip
    decided = store.manifest(refreshed["decide"])
    assert decided["accounts"]["decisions"] == {"total": 7, "kept": 7, "dropped": {}, "failed": {}, "skipped": {}}
    waiting = store.drawn(refreshed["review"])
    assert {one["content"] for one in waiting} == {one["content"] for one in samples[3:]}
    assert [one["reviewers"] for one in waiting if one["content"] == split["content"]] == [["ann"]]
    found = report_of(store)
    assert (metrics["agreement"], metrics["kappa"]) == (found["agreement"], found["kappa"])


def report_of(store):
    made = [Decision(id="", **line) for line in store.decisions()]
    return report([[d for d in made if d.content == content] for content in {d.content for d in made}])


def test_the_list_links_its_samples_and_is_linked(client, signed_in, store, samples, see, pages):
    text = see("ann")
    assert all(one["content"] in text for one in samples)
    assert "Start reviewing" in text
    vera = signed_in("vera")
    assert 'href="./sea/review/latest/samples"' in client.get("/nocturne/", headers=vera).text
    assert 'href="./sea/review/latest/samples"' in client.get("/nocturne/sea", headers=vera).text
    assert "/samples" in client.get(pages.removesuffix("/samples"), headers=vera).text
    assert client.get("/nocturne/sea/review/latest/samples", headers=vera).status_code == 200


def test_a_sample_is_shown_with_its_passage_and_nothing_of_it_runs(store, samples, client, signed_in, pages):
    answer = client.get(f"{pages}/{samples[0]['content']}", headers=signed_in("ann"))
    text = answer.text
    assert html.escape(samples[0]["passage"]["text"][:60], quote=True).replace("&#x27;", "&#39;")[:40] in text
    assert "Everything it says is right" in text
    for planted in ("<script>alert", "<img"):
        assert planted not in text
    assert "&lt;script&gt;alert(1)" in text
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"(?:href|src|action)=\"/", text), "relative, so that a path prefix works"


def test_others_stay_hidden_until_i_have_decided(store, samples, decide, see):
    one = samples[0]
    decide("ann", one, "reject", comment="Made up.")
    before = see("bob", one)
    assert "1 other decided" in before
    assert "Made up." not in before
    assert "ann" not in see("bob"), "nor does the table of agreement tell"
    decide("bob", one, "accept")
    after = see("bob", one)
    assert "Made up." in after
    assert "What others said" in after
    assert "ann" in see("bob")


def test_a_changed_mind_replaces_and_can_be_taken_back(store, samples, decide, client, signed_in, pages):
    decide("ann", samples[0], "accept")
    decide("ann", samples[0], "reject")
    assert [line["verdict"] for line in store.decisions()] == ["reject"]
    undone = client.post(f"{pages}/{samples[0]['content']}/undo", headers=signed_in("ann"), follow_redirects=False)
    assert (undone.status_code, undone.headers["location"]) == (303, f"../{samples[0]['content']}")
    assert store.decisions() == []


def test_after_a_decision_comes_the_next_that_waits_for_me(store, samples, decide, see):
    following = {}
    for place, one in enumerate(samples):
        where = decide("ann", one, "accept").headers["location"]
        following[place] = re.match(r"\./(\w{20})\?done=" + one["content"], where)[1]
    assert [following[place] for place in range(7)] == [one["content"] for one in samples[1:]]
    assert following[7] == samples[7]["content"], "none is left"
    assert "Nothing here waits for you" in see("ann")
    starts = {re.search(r'samples/(\w{20})">Start', see(name))[1] for name in ("bob", "admin", HOSTILE)}
    assert len(starts) > 1, "several people do not all begin with the same sample"


def test_what_enough_people_have_seen_waits_for_nobody_else(store, samples, decide, see):
    for one in samples:
        decide("ann", one, "accept")
        decide("bob", one, "accept")
    assert "Nothing here waits for you" in see("admin")


def test_nobody_writes_who_has_not_signed_in_or_may_only_look(store, samples, decide, see, client, pages):
    assert decide("", samples[0], "accept", headers={}).status_code in (401, 403)
    assert client.post(f"{pages}/{samples[0]['content']}/undo").status_code in (401, 403)
    refused = decide("vera", samples[0], "accept")
    assert refused.status_code == 403
    assert "refresh_sea" in refused.text
    assert "<button" not in see("vera", samples[0])
    assert client.get(pages).status_code == 401
    assert store.decisions() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://testserver:81"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://testserver", "Authorization": "Basic eDp5"}, 303),
        ({"Origin": "https://evil.example", "Authorization": "Basic eDp5"}, 403),
        ({"Origin": "http://testserver"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
)
def test_with_a_cookie_only_our_own_pages_may_send(store, samples, decide, signed_in, client, headers, status):
    token = signed_in("ann")["Authorization"].removeprefix("Bearer ")
    answer = decide("ann", samples[0], "accept", headers={"Cookie": f"_token={token}"} | headers)
    assert answer.status_code == status
    assert len(store.decisions()) == (status == 303)


def test_the_reviewer_is_who_signed_in_and_a_name_is_no_path(store, samples, decide):
    decide(HOSTILE, samples[0], "accept", reviewer="ann", sample_id="x", content="y", decided_at="1")
    (line,) = store.decisions()
    assert (line["reviewer"], line["sample_id"]) == (HOSTILE, samples[0]["sample_id"])
    (path,) = (store.folder / "sea" / "decisions").iterdir()
    assert re.fullmatch(r"[0-9a-f]{20}-[0-9a-f]{20}\.json", path.name)


@pytest.mark.parametrize("content", ["..%2f..%2fraw", "a" * 20, "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "A" * 20, "%00"])
def test_what_was_not_drawn_cannot_be_decided_about(store, client, signed_in, pages, content):
    ann = signed_in("ann")
    assert client.get(f"{pages}/{content}", headers=ann).status_code == 404
    sent = client.post(f"{pages}/{content}", headers=ann, data={"verdict": "accept", "comment": "kept words"})
    assert sent.status_code in (404, 405, 422)
    assert "<script>alert" not in sent.text
    assert client.post(f"{pages}/{content}/undo", headers=ann).status_code in (404, 405)
    assert store.decisions() == []


@pytest.mark.parametrize(
    ("verdict", "fields", "says"),
    [
        ("", {}, "no verdict was given"),
        ("maybe", {}, "no verdict was given"),
        ("edit", {}, "nothing was changed"),
        ("edit", {"turn_1": "  "}, "turn 2 (assistant) is empty"),
        ("edit", {"turn_1": "x" * 200_001}, "200,001 characters"),
        ("accept", {"turn_1": "Another answer, carefully typed."}, "the text was changed"),
        ("reject", {"comment": "x" * 5_001}, "5,001 characters"),
    ],
)
def test_what_is_no_decision_comes_back_with_all_that_was_typed(store, samples, decide, verdict, fields, says):
    answer = decide("ann", samples[0], verdict, **fields)
    assert answer.status_code == 422
    assert says in html.unescape(answer.text)
    assert all(value in answer.text for value in fields.values())
    assert store.decisions() == []


def test_a_rejected_sample_may_have_anything_in_its_fields(store, samples, decide):
    assert decide("ann", samples[0], "reject", turn_1="").status_code == 303
    assert (store.decisions()[0]["messages"], store.decisions()[0]["checklist"]) == ([], {})


def test_one_tick_says_of_the_other_statements_that_they_do_not_hold(store, samples, decide):
    decide("ann", samples[0], "accept", check_1="on", check_9="on")
    said = store.decisions()[0]["checklist"]
    assert len(said) == 3
    assert [statement for statement, holds in said.items() if holds] == ["Everything it says is right"]


def test_a_store_that_is_down_keeps_what_was_typed(store, samples, decide, monkeypatch):
    monkeypatch.setenv("NOCTURNE_STORE", "s3://nowhere")
    monkeypatch.setenv("NOCTURNE_S3_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("NOCTURNE_S3_ACCESS_KEY", "a")
    monkeypatch.setenv("NOCTURNE_S3_SECRET_KEY", "b" * 8)
    typed = f"An answer that took ten minutes {EVIL}"
    answer = decide("ann", samples[0], "edit", turn_1=typed, comment="and a reason")
    assert answer.status_code == 502
    assert "was not saved" in answer.text
    assert "does not answer" in answer.text
    assert typed in html.unescape(answer.text)
    assert typed not in answer.text
    assert "and a reason" in answer.text


def test_a_disk_that_is_full_or_read_only_keeps_what_was_typed(store, samples, decide):
    (store.folder / "sea" / "decisions").rmdir()
    (store.folder / "sea" / "decisions").write_text("a file where a folder should be")
    try:
        answer = decide("ann", samples[0], "edit", turn_1="Typed")
    finally:
        (store.folder / "sea" / "decisions").unlink()
    assert answer.status_code == 502
    assert "Typed" in answer.text


def test_a_form_without_end_is_refused(store, samples, client, signed_in, pages):
    where = f"{pages}/{samples[0]['content']}"
    for body in (b"verdict=reject&comment=" + b"x" * 4_000_001, b"verdict=reject" + b"&a=1" * 600):
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post(where, content=body, headers=signed_in("ann") | kind).status_code == 413
    assert store.decisions() == []


def test_two_reviewers_at_once_lose_nothing(store, samples, decide):
    names = ("ann", "bob", "admin", HOSTILE)
    with ThreadPoolExecutor(8) as people:
        sent = [(people.submit(decide, name, one, "accept")) for one in samples for name in names]
        assert {each.result().status_code for each in sent} == {303}
    assert len(store.decisions()) == len(samples) * len(names)


def test_a_file_that_no_page_wrote_spoils_nothing(store, samples, decide, see):
    decide("ann", samples[0], "accept")
    folder = store.folder / "sea" / "decisions"
    (folder / f"{samples[1]['content']}-{'0' * 20}.json").write_text("[")
    (folder / f"{samples[2]['content']}-{'1' * 20}.json").write_text(json.dumps({"verdict": 7}))
    (folder / "notes.txt").write_text("hello")
    try:
        assert "1 sample decided about" in see("vera")
        assert "Accepted" in see("vera", samples[0])
    finally:
        (folder / "notes.txt").unlink()


def test_time_is_told_and_a_clock_that_lies_is_not_believed(store, samples, decide, see):
    opened = re.search(r'name="opened" value="(.*?)"', see("ann", samples[0]))[1]
    for sample, moment in zip(samples, (opened, "1999-01-01T00:00:00Z", "rubbish", "2999-01-01", ""), strict=False):
        decide("ann", sample, "accept", opened=moment)
    told = {line["content"]: line["seconds"] for line in store.decisions()}
    assert 0 <= told[samples[0]["content"]] < 60
    assert [told[one["content"]] for one in samples[1:5]] == [None] * 4
