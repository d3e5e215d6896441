"""The demo: raw articles to a registered model, through the scheduler, on this machine."""

import shutil
import subprocess
import time

from embedded import summary
from embedded.console import Console
from embedded.corpus import write_articles
from embedded.settings import ROOT, Home
from embedded.stack import Stack, running_stack
from embedded.watch import RunFailed, Watch

REFRESH, FINETUNE = "refresh_demo", "finetune_demo"
ASSET_SECONDS = 120


def demo(home: Home, runner: str, console: Console) -> None:
    """Walk the whole way and say what came of it. Raises `RunFailed` when a run fails."""
    started = time.monotonic()
    check_engine(runner)
    number, _ = write_articles(ROOT, home.store / "raw" / "demo" / "articles.jsonl")
    console.say(f"{number} articles: the descriptions of the Python distributions in .venv")
    with running_stack(home, runner, console, "demo") as stack:
        console.say(f"Airflow and MLflow are up after {time.monotonic() - started:.0f} s")
        refreshed, tuned = walk(stack, console)
    report(console, refreshed, tuned, time.monotonic() - started)


def check_engine(runner: str) -> None:
    """Refuse the docker runner where there is no engine or no images."""
    if runner != "docker":
        return
    if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        raise RunFailed("RUNNER=docker, but no Docker engine answers. Try: make demo, which needs none")
    for image in ("curate", "generate", "finetune"):
        command = ["docker", "image", "inspect", f"nocturne/{image}:local"]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise RunFailed(f"RUNNER=docker, but there is no image nocturne/{image}:local. Try: make images")


def walk(stack: Stack, console: Console) -> tuple[summary.Results, summary.Results]:
    """Trigger the refresh, follow it, then follow the fine-tuning that its published dataset starts."""
    for dag in (REFRESH, FINETUNE):
        console.status(f"Waiting for Airflow to load {dag}")
        stack.airflow.wait_for_dag(dag, stack.started)
        stack.airflow.end_unfinished(dag)  # one run at a time: what a killed demo left would hold up this one
        stack.airflow.patch(f"/dags/{dag}", {"is_paused": False})
    watch = Watch(stack.airflow, console, stack.home.airflow / "logs", stack.services.check)
    run = stack.airflow.trigger(REFRESH)
    refreshed = watch.follow(REFRESH, run)
    return refreshed, watch.follow(FINETUNE, started_by(stack, run, console))


def started_by(stack: Stack, run: str, console: Console) -> str:
    """The fine-tuning run that the scheduler makes of the published dataset's asset event."""
    console.status("  waiting for the scheduler to start the fine-tuning ...")
    deadline = time.monotonic() + ASSET_SECONDS
    while time.monotonic() < deadline:
        stack.services.check()
        for dag, made in stack.airflow.runs_started_by(REFRESH, run):
            if dag == FINETUNE:
                return made
        time.sleep(0.3)
    raise RunFailed(f"{REFRESH} succeeded, but its asset started no run of {FINETUNE} in {ASSET_SECONDS} s")


def report(console: Console, refreshed: summary.Results, tuned: summary.Results, seconds: float) -> None:
    """The funnel, the places, the figures, and what to do next."""
    console.say(f"\nDone in {seconds:.0f} s. Where the rows went:\n")
    for line in summary.funnel(refreshed):
        console.say(line)
    console.say()
    for name, value in facts(refreshed, tuned):
        console.say(f"  {name:<10} {value}")
    console.say("\nNext: `make ui` shows these runs, the dataset page and MLflow in your browser.")


def facts(refreshed: summary.Results, tuned: summary.Results) -> list[tuple[str, str]]:
    """Where dataset, report and model are, and what the training did."""
    published, compared, registered = refreshed["publish"], tuned["evaluate"]["metrics"], tuned["register"]["metrics"]
    split = published["metrics"]
    alias = "champion" if registered.get("champion") == "true" else "challenger"
    return [
        ("dataset", f"{summary.folder(published)}/"),
        ("", f"{split['train_rows']:,} train and {split['test_rows']:,} test samples"),
        ("", f"content hash {published['content_hash']}"),
        ("report", str(summary.folder(refreshed["explore"]) / "report.html")),
        ("model", f"{summary.folder(tuned['export'])}/"),
        ("", f"in MLflow: {registered['model']}, version {registered['version']}, alias {alias}"),
        ("test loss", f"{compared['base_loss']:.3f} base, {compared['tuned_loss']:.3f} tuned (nats per token)"),
        ("", "the base is a tiny untrained Llama: it learns, but assists nobody"),
    ]
