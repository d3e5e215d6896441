"""A toy image run through the real entry point in processes of its own, and stores on both backends."""

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import Ended
from contract.uris import Address, parse_uri
from stagekit.store import open_store

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "images" / "shared"
START = "import sys; from stagekit.entry import main; sys.exit(main('curate', sys.argv[1:]))"
S3_NAMES = ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY")
STAND_IN = "nocturne-local/s3:ceph"


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


def has_stand_in() -> bool:
    command = ["docker", "image", "inspect", STAND_IN]
    return bool(shutil.which("docker")) and not subprocess.run(command, capture_output=True, check=False).returncode


@pytest.fixture(scope="session")
def s3() -> dict[str, str]:
    """Endpoint and keys of a real S3 server: the one that NOCTURNE_TEST_S3_* names, else the local stand-in's image."""
    given = {name: os.environ.get(f"NOCTURNE_TEST_S3_{name}", "") for name in S3_NAMES}
    if all(given.values()):
        yield given
        return
    if not has_stand_in():
        absent = pytest.fail if os.environ.get("NOCTURNE_EXPECT_DOCKER") else pytest.skip
        absent(f"no S3 server: set NOCTURNE_TEST_S3_ENDPOINT, _ACCESS_KEY and _SECRET_KEY, or build {STAND_IN}")
    keys = {"MINIO_ROOT_USER": "test-user", "MINIO_ROOT_PASSWORD": uuid.uuid4().hex}
    variables = [part for name, value in keys.items() for part in ("-e", f"{name}={value}")]
    command = ["docker", "run", "-d", "--rm", "-p", "127.0.0.1::9000", *variables, STAND_IN, "server", "/data"]
    container = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    try:
        port = subprocess.run(["docker", "port", container, "9000"], capture_output=True, text=True, check=True).stdout
        endpoint = "http://" + port.splitlines()[0].strip()
        yield dict(zip(S3_NAMES, (endpoint, *keys.values()), strict=True))
    finally:
        subprocess.run(["docker", "rm", "-f", "-v", container], capture_output=True, check=False)


@pytest.fixture(scope="session")
def bucket(s3) -> str:
    """An empty bucket on that server."""
    from minio import Minio

    host = s3["ENDPOINT"].removeprefix("http://")
    client = Minio(host, access_key=s3["ACCESS_KEY"], secret_key=s3["SECRET_KEY"], secure=False, region="us-east-1")
    name = f"kit-{uuid.uuid4().hex[:8]}"
    deadline = time.monotonic() + 60
    while True:
        try:
            client.make_bucket(name)
            return name
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


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
