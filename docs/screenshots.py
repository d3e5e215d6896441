"""Makes the README's pictures from a stack that runs and has a finished demo: `make ui`, then `make screenshots`.

Takes names of pictures, or none for all. Needs a Chromium on the path or in `CHROMIUM`.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page

from browser import signed_in

ROOT = Path(__file__).resolve().parent.parent
AIRFLOW = f"http://127.0.0.1:{os.environ.get('AIRFLOW_PORT', 8080)}"
MLFLOW = f"http://127.0.0.1:{os.environ.get('MLFLOW_PORT', 5000)}"
PASSWORD = json.loads((ROOT / ".nocturne/airflow/passwords.json").read_text())["admin"]
TRAINING = "?workflowType=machine_learning"  # else MLflow's pages are those for chats
SETTLE = 3000  # milliseconds until layout and curves stand still
PATIENCE = 600  # seconds for a run whose stages are all there already


def ask(url: str, body: object = None, token: str = "") -> Any:
    """The JSON that an API answers."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
        return json.load(answer)


def token() -> str:
    """What the administrator shows to Airflow's API."""
    return str(ask(f"{AIRFLOW}/auth/token", {"username": "admin", "password": PASSWORD})["access_token"])


def newest_run(dag: str) -> str:
    """The address of the UI's page of a DAG's newest finished run."""
    query = "order_by=-run_after&limit=1&state=success"
    runs = ask(f"{AIRFLOW}/api/v2/dags/{dag}/dagRuns?{query}", token=token())["dag_runs"]
    if not runs:
        sys.exit(f"{dag} has no finished run: make demo first")
    return f"{AIRFLOW}/dags/{dag}/runs/{quote(runs[0]['dag_run_id'])}"


def form(page: Page) -> None:
    """The form for triggering a run."""
    page.goto(f"{AIRFLOW}/dags/refresh_demo")
    page.get_by_role("button", name="Trigger").first.click()
    page.get_by_text("instruct").first.wait_for()


def graph(page: Page) -> None:
    """The steps of a finished run."""
    page.set_viewport_size({"width": 1900, "height": 620})  # ten steps in a row
    page.goto(AIRFLOW)
    page.evaluate("localStorage.setItem('default_dag_view', JSON.stringify('graph'))")
    page.goto(newest_run("refresh_demo"))
    page.locator(".react-flow__node").first.wait_for()


def dataset(page: Page) -> None:
    """The page of a published dataset, without the place of this checkout."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{AIRFLOW}/plugin/datasets")
    inside = page.frame_locator("iframe")
    inside.get_by_role("link", name="demo").first.click()
    inside.locator("a[href*='publish/']").first.click()
    inside.get_by_text("instruct").first.wait_for()
    hide_root(page)


def tab(page: Page) -> None:
    """The tab "Dataset" of a task."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{newest_run('refresh_demo')}/tasks/publish")
    page.get_by_role("link", name="Dataset").first.click()
    page.frame_locator("iframe").get_by_text("instruct").first.wait_for()
    hide_root(page)


def spend(page: Page) -> None:
    """The tab "Rows and spend" of a finished run."""
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(newest_run("refresh_demo"))
    page.get_by_role("link", name="Rows and spend").first.click()
    page.frame_locator("iframe").get_by_text("instruct").first.wait_for()


def approval(page: Page) -> Callable[[], None]:
    """What a person is asked about a model. The run that asks is started here, and then ended by a rejection."""
    page.set_viewport_size({"width": 1280, "height": 720})
    url, key = f"{AIRFLOW}/api/v2/dags/finetune_demo/dagRuns", token()
    conf = {"dataset": "latest", "register.champion": "approval"}
    run = ask(url, {"logical_date": None, "conf": conf}, key)["dag_run_id"]
    deadline = time.monotonic() + PATIENCE
    while ask(f"{url}/{quote(run)}/taskInstances/approve", token=key)["state"] != "awaiting_input":
        if time.monotonic() > deadline:
            sys.exit(f"{run} asks nobody")
        time.sleep(1)
    page.goto(f"{AIRFLOW}/dags/finetune_demo/runs/{quote(run)}/tasks/approve/required_actions")
    reject = page.get_by_role("button", name="Reject")
    reject.wait_for()
    return reject.click


def review(page: Page) -> Callable[[], None]:
    """A sample to review, with the passage it was made from. The demo has no reviewers, so its samples are drawn here,
    and the draw goes when the picture is taken."""
    store = ROOT / ".nocturne/store"
    release = json.loads((store / "demo/publish/latest.json").read_text())
    made = json.loads((store / f"demo/publish/{release['key']}/manifest.json").read_text())
    rows = next(parent["uri"] for parent in made["parents"] if parent["input"] == "rows")
    chunks = max((store / "demo/chunk").glob("*/manifest.json"), key=lambda path: path.stat().st_mtime).parent
    command = [ROOT / ".venv/curate/bin/python", "-m", "curate", "review", "--config", '{"reviewers": 2}']
    command += ["--input", f"rows={rows}", "--input", f"references={chunks}", "--output", f"{store}/demo/review/"]
    paths = {"PYTHONPATH": f"{ROOT}/images/shared:{ROOT}/images/curate", "NOCTURNE_RECIPE": "demo"}
    subprocess.run(command, env=os.environ | paths, check=True, capture_output=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{AIRFLOW}/plugin/datasets")
    inside = page.frame_locator("iframe")
    inside.get_by_role("link", name="review").first.click()
    inside.get_by_role("link", name="Start reviewing").click()
    inside.get_by_text("The passage it was made from").wait_for()
    return lambda: shutil.rmtree(store / "demo/review")


def report(page: Page) -> None:
    """The topics of the newest report, as the file opens without any server."""
    page.set_viewport_size({"width": 1280, "height": 900})
    found = (ROOT / ".nocturne/store/demo/explore").glob("*/report.html")
    page.goto(max(found, key=lambda path: path.stat().st_mtime).as_uri())
    page.get_by_role("heading", name="Topics").evaluate("heading => heading.scrollIntoView()")


def hide_root(page: Page) -> None:
    """Replace the folder of this checkout on the dataset's page: where it lies is nobody's business."""
    for frame in page.frames:
        frame.evaluate(
            """here => {
              const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              while (texts.nextNode()) {
                const text = texts.currentNode;
                text.data = text.data.replaceAll(here, "/srv/nocturne");
              }
            }""",
            str(ROOT),
        )


def training_run() -> str:
    """The address of the page of the demo's newest training."""
    api = f"{MLFLOW}/api/2.0/mlflow"
    found = ask(f"{api}/experiments/search", {"max_results": 50, "filter": "name LIKE '%demo%'"})["experiments"]
    ids = [experiment["experiment_id"] for experiment in found]
    runs = ask(f"{api}/runs/search", {"experiment_ids": ids, "max_results": 50})["runs"]
    trained = (run for run in runs if "train_loss" in {metric["key"] for metric in run["data"].get("metrics", [])})
    info = next(trained)["info"]
    return f"{MLFLOW}/#/experiments/{info['experiment_id']}/runs/{info['run_id']}"


def mlflow(page: Page) -> None:
    """The curves of a training run."""
    page.goto(f"{training_run()}/artifacts/curves.svg{TRAINING}")
    page.get_by_text("Path:").first.wait_for()


def comparison(page: Page) -> None:
    """The comparison of the tuned model with its base, in the run of the training."""
    page.goto(f"{training_run()}/artifacts/evaluate/comparison.html{TRAINING}")
    page.locator("iframe").first.wait_for()


def model(page: Page) -> None:
    """The page of a registered version, with its card."""
    page.goto(f"{MLFLOW}/#/models/demo/versions/1{TRAINING}")
    page.get_by_text("Fine-tuned on demo").first.wait_for()


TAKEN = (form, graph, dataset, tab, spend, report, review, approval, mlflow, comparison, model)
PICTURES: dict[str, Callable[[Page], Callable[[], None] | None]] = {picture.__name__: picture for picture in TAKEN}


def without_help(page: Page) -> None:
    """Close what MLflow opens beside a page to be asked for help."""
    if (assistant := page.get_by_role("button", name="Close")).count():
        assistant.first.click()
        page.wait_for_timeout(SETTLE)


def main(wanted: list[str]) -> None:
    """Take the pictures."""
    folder = Path(os.environ.get("OUT", ROOT / "docs/images"))
    folder.mkdir(parents=True, exist_ok=True)
    with signed_in(AIRFLOW, PASSWORD) as page:
        for name in wanted or PICTURES:
            page.goto("about:blank")  # else MLflow takes the next address for a place in the page that is open
            afterwards = PICTURES[name](page)
            page.wait_for_timeout(SETTLE)
            if page.url.startswith(MLFLOW):
                without_help(page)
            page.screenshot(path=folder / f"{name}.png")
            if afterwards:
                afterwards()
            print(folder / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
