"""Whether the champion, served as a user serves it, says what `evaluate` wrote down.

    python tests/served_as_evaluated.py STORE       after `make demo`: of the registry and the store beside each other

Every answer that `evaluate` kept of the tuned model is asked for over HTTP, whole and streamed; prints how many are
equal and exits with 1 unless all are.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving import post, streamed

ROOT = Path(__file__).resolve().parent.parent
CHAMPION = "champion"
PATIENCE = 300  # seconds until a server that is busy with its own check is ready
SERVE = """
import sys
from pathlib import Path
from embedded.console import Console
from embedded.serve import serve
from embedded.settings import Home
serve(Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]), Console())
"""


@dataclass(frozen=True)
class Evaluated:
    """Questions with the tuned model's answers to them, and how long (tokens) an answer might get."""

    answers: Sequence[tuple[str, str]]
    max_new_tokens: int


def evaluated_with(home: Path) -> Evaluated:
    """The evaluation that the model fetched last into this home was registered with; its folder says of which export
    it is, the store beside it the rest. Raises `LookupError` where that is not there."""
    recipe, _, export = (home / "served" / "current").resolve().name.rsplit("-", 2)
    store = home / "store"
    for path in sorted((store / recipe / "register").glob("*/manifest.json")):
        parents = {parent["input"]: parent for parent in json.loads(path.read_text())["parents"]}
        if parents["export"]["content_hash"].startswith(export):
            folder = store / recipe / "evaluate" / parents["evaluate"]["uri"].rstrip("/").rpartition("/")[2]
            kept = json.loads((folder / "comparison.json").read_text())["answers"]
            config = json.loads((folder / "manifest.json").read_text())["config"]
            said = [(answer["instruction"], answer["tuned"]["text"]) for answer in kept]
            return Evaluated(said, config["max_new_tokens"])
    raise LookupError(f"no model of the export {export} is registered in {store}")


@contextmanager
def serving(home: Path, tracking: str = "") -> Iterator[str]:
    """The address of what `make serve MODEL=champion` serves, with its home in this folder."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / "images" / name) for name in ("shared", "airflow"))}
    env |= {"MLFLOW_TRACKING_URI": tracking} if tracking else {}
    command = [ROOT / ".venv/airflow/bin/python", "-c", SERVE, home, CHAMPION, str(port)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_until_ready(process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def differences(url: str, wanted: Evaluated) -> list[str]:
    """What is answered otherwise than it was evaluated, whole or streamed."""
    found = []
    for question, answer in wanted.answers:
        said = [{"role": "user", "content": question}]
        body = {"model": CHAMPION, "messages": said, "temperature": 0, "max_tokens": wanted.max_new_tokens}
        status, whole = post(f"{url}/v1/chat/completions", body)
        texts = [whole["choices"][0]["message"]["content"] if status == 200 else f"status {status}: {whole}"]
        texts.append(streamed(f"{url}/v1/chat/completions", body))
        found += [f"{question!r}: {text.strip()!r}, not {answer!r}" for text in texts if text.strip() != answer]
    return found


def _wait_until_ready(process: subprocess.Popen[bytes], log: "tempfile._TemporaryFileWrapper[str]") -> None:
    """A server answers before it has checked itself, so its log says when it is ready."""
    deadline = time.monotonic() + PATIENCE
    while True:
        log.seek(0)
        said = log.read()
        if " ready " in said:
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"`make serve` is not ready (exit code {process.poll()}):\n{said}")
        time.sleep(0.2)


def main() -> int:
    """Print the verdict; the exit code."""
    home = Path(sys.argv[1]).resolve().parent
    with serving(home) as url:
        wanted = evaluated_with(home)
        found = differences(url, wanted)
    print(
        "\n".join([*found, f"{len(wanted.answers)} evaluated answers, served whole and streamed: {len(found)} differ"])
    )
    return int(bool(found) or not wanted.answers)


if __name__ == "__main__":
    sys.exit(main())
