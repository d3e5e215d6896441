"""People review samples in Airflow's own UI, in a real browser; real stages drew them and apply what was decided."""

import json
import re
from contextlib import contextmanager

import pytest

from browser import chromium, signed_in
from embedded import stack
from embedded.console import Console
from embedded.services import Running
from embedded.settings import Home, airflow_environment, choose_ports, write_private
from review_store import ReviewStore

pytestmark = pytest.mark.slow
PASSWORD = "a password for tests"
USERS = {"ann": "user", "bob": "user", "vera": "viewer"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Eight samples that two people should look at, and where they were drawn."""
    if not chromium():
        pytest.skip("no Chromium on the path")
    found = ReviewStore(tmp_path_factory.mktemp("home") / "store", {"reviewers": 2})
    return found, found.refresh()["review"]


@pytest.fixture(scope="module")
def airflow(store):
    """The address of an Airflow server with three users over that store."""
    home, ports = Home(store[0].folder.parent), choose_ports()
    environment = airflow_environment(home, ports, "process")
    environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] = ",".join(f"{n}:{role}" for n, role in USERS.items())
    write_private(home.password_file, json.dumps(dict.fromkeys(USERS, PASSWORD)))
    stack.migrate(home, environment, Console())
    services = Running(stack.register(home))
    server, *_ = stack.airflow_services(home, ports, environment)
    try:
        services.start(server)
        services.wait_ready("api-server")
        yield ports.airflow_url
    finally:
        services.stop()


@contextmanager
def reviewing(airflow, name):
    """The list of samples in the UI's frame, as somebody who has signed in; nothing that the page says may run."""
    with signed_in(airflow, PASSWORD, name) as page:
        alerts = []
        page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
        problems = []
        page.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(f"{airflow}/plugin/datasets")
        inside = page.frame_locator("iframe")
        inside.get_by_role("link", name="sea", exact=True).click()
        inside.get_by_role("link", name="Samples to review").click()
        inside.get_by_role("heading", name="Review sea").wait_for()
        yield page, inside
        assert alerts == []
        assert problems == []


def at(inside, number):
    """Wait for the page of that sample; whatever was typed before, the keyboard is the page's now."""
    inside.get_by_role("heading", name=re.compile(f"^Sample {number} of ")).click()


def test_two_people_review_by_keys_and_buttons_and_the_next_refresh_applies_it(store, airflow):
    found, result = store
    samples = found.drawn(result)
    with reviewing(airflow, "ann") as (page, inside):
        inside.locator("td.title a").first.click()
        at(inside, 1)
        page.keyboard.press("a")
        at(inside, 2)
        inside.get_by_text("Saved: you accepted").wait_for()
        page.keyboard.press("r")
        at(inside, 3)
        page.keyboard.press("e")
        inside.get_by_role("textbox", name="Answer").fill("A better answer,\nin two lines")
        page.keyboard.press("Control+Enter")
        at(inside, 4)
        page.keyboard.press("s")
        at(inside, 5)
        page.keyboard.press("k")
        at(inside, 4)
        inside.get_by_label("Comment").fill("half a thought")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        at(inside, 5)
        page.keyboard.press("k")
        at(inside, 4)
        assert inside.get_by_label("Comment").input_value() == "half a thought", "a draft outlives leaving the page"
        inside.get_by_role("button", name="Reject").click()
        at(inside, 5)
        inside.get_by_role("button", name="Undo").click()
        at(inside, 4)
        assert not inside.get_by_text("You have decided").count()
    assert [line["verdict"] for line in by_place(found, samples)] == ["accept", "reject", "edit"]
    with reviewing(airflow, "bob") as (page, inside):
        inside.locator("td.title a").nth(1).click()
        at(inside, 2)
        inside.get_by_text("1 other decided; you see how once you have").wait_for()
        inside.get_by_role("button", name="Reject").click()
        at(inside, 3)
        assert inside.get_by_text("ann rejected it").count()
        inside.get_by_role("link", name="the one before").click()
        at(inside, 2)
        assert inside.get_by_text("Rejected by ann").count()
    refreshed = found.refresh()["review"]
    metrics = found.manifest(refreshed)["metrics"]
    told = {name: metrics[name] for name in ("accepted", "rejected", "edited", "decisions_applied", "agreement")}
    assert told == {"accepted": 1, "rejected": 1, "edited": 1, "decisions_applied": 4, "agreement": 1}
    assert len(found.drawn(refreshed)) == 7, "what two people decided about is drawn no more"


def by_place(found, samples):
    places = {one["content"]: place for place, one in enumerate(samples)}
    return sorted(found.decisions(), key=lambda line: places[line["content"]])


def test_who_may_only_look_sees_no_button(airflow):
    with reviewing(airflow, "vera") as (_, inside):
        inside.locator("td.title a").first.click()
        at(inside, 1)
        assert inside.get_by_role("button").count() == 0
        assert inside.get_by_text("You may look").count()


def test_a_page_of_another_port_of_this_host_can_send_nothing(airflow, store, tmp_path):
    """The cookie goes along, since it is the same site; the form is refused all the same."""
    found, result = store
    content = found.drawn(result)[-1]["content"]
    key = result["uri"].rpartition("/")[2]
    before = len(found.decisions())
    with signed_in(airflow, PASSWORD, "ann") as page:
        target = f"{airflow}/nocturne/sea/review/{key}/samples/{content}"
        form = (
            f'<form method="post" action="{target}"><button name="verdict" value="reject">Win a prize</button></form>'
        )
        elsewhere = airflow.rpartition(":")[0] + ":9/"
        page.route(elsewhere, lambda route: route.fulfill(body=form, content_type="text/html"))
        page.goto(elsewhere)
        with page.expect_response(target) as answer:
            page.get_by_role("button").click()
        assert answer.value.status == 403
    assert len(found.decisions()) == before
