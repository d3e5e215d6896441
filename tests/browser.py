"""A real browser, signed in to Airflow: for tests of what a person clicks, and for the README's pictures."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

PATIENCE = 120_000  # milliseconds; the first page of a cold Airflow on two busy cores is slow
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--lang=en-GB", "--disable-background-networking", "--disable-component-update"]


def chromium() -> str | None:
    """The browser's program: `CHROMIUM`, or what is on the path."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def signed_in(airflow: str, password: str, user: str = "admin") -> Iterator[Page]:
    """A page of a fresh browser after somebody has signed in at `airflow`, the address of its UI."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        page.set_default_timeout(PATIENCE)
        page.goto(airflow)
        page.locator("input[name=username]").fill(user)
        page.locator("input[name=password]").fill(password)
        page.locator("button[type=submit], input[type=submit]").first.click()  # each auth manager has its own page
        page.wait_for_url(lambda url: "/login" not in url)
        yield page
        browser.close()
