"""A toy image run through the real entry point in processes of its own, and stores on both backends."""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import Ended
from contract.uris import Address, parse_uri
from s3_server import bucket, s3
from stagekit.store import open_store

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "images" / "shared"
__all__ = ["bucket", "s3"]
START = "import sys; from stagekit.entry import main; sys.exit(main('curate', sys.argv[1:]))"


@dataclass
class Toy:
    """Runs stages of the toy image."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def source(self, lines: list[str], name: str = "lines.txt") -> str:
        """A text file to ingest."""
        path = self.folder / "raw" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
        return str(path)

    def start(self, arguments: list[str], **env: str) -> subprocess.Popen:
        paths = {"PYTHONPATH": f"{HERE / 'toy'}:{SHARED}", "TMPDIR": str(self.folder)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": self.folder}
        return subprocess.Popen(
            [sys.executable, "-c", START, *arguments], env=os.environ | paths | self.env | env, **pipes
        )

    def call(self, arguments: list[str], **env: str) -> Ended:
        return ended(self.start(arguments, **env))

    def start_ingest(self, lines: list[str], output: str, shard_rows: int = 50_000, **env: str) -> subprocess.Popen:
        config = {"sources": [{"uri": self.source(lines)}], "shard_rows": shard_rows}
        return self.start(["ingest", "--config", json.dumps(config), "--output", output], **env)

    def ingest(self, lines: list[str], output: str, shard_rows: int = 50_000, **env: str) -> Ended:
        return ended(self.start_ingest(lines, output, shard_rows, **env))

    def clean(self, rows: str, output: str, **env: str) -> Ended:
        return self.call(["clean", "--input", f"rows={rows}", "--output", output], **env)


def ended(process: subprocess.Popen) -> Ended:
    """Wait for a process."""
    stdout, stderr = process.communicate()
    return Ended(process.returncode, stdout, stderr)


@pytest.fixture
def toy(tmp_path) -> Toy:
    return Toy(tmp_path)


@pytest.fixture
def s3_env(s3, monkeypatch) -> dict[str, str]:
    """The environment that the kit reads S3 credentials from."""
    env = {f"NOCTURNE_S3_{name}": value for name, value in s3.items()}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return env


@pytest.fixture(params=["local", pytest.param("s3", marks=pytest.mark.needs_docker)])
def root(request, tmp_path) -> Address:
    """An empty place for a store, on each backend."""
    if request.param == "local":
        return parse_uri(str(tmp_path / "store"))
    request.getfixturevalue("s3_env")
    return parse_uri(f"s3://{request.getfixturevalue('bucket')}/{uuid.uuid4().hex[:8]}")


@pytest.fixture
def store(root):
    """An empty store, on each backend."""
    return open_store(root)
