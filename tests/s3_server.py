"""A real S3 server for tests, and an empty bucket on it."""

import os
import shutil
import subprocess
import time
import uuid

import pytest

S3_NAMES = ("ENDPOINT", "ACCESS_KEY", "SECRET_KEY")
STAND_IN = "nocturne-local/s3:ceph"


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
    from minio.error import MinioException
    from urllib3.exceptions import HTTPError

    host = s3["ENDPOINT"].removeprefix("http://")
    client = Minio(host, access_key=s3["ACCESS_KEY"], secret_key=s3["SECRET_KEY"], secure=False, region="us-east-1")
    name = f"kit-{uuid.uuid4().hex[:8]}"
    deadline = time.monotonic() + 60
    while True:
        try:
            client.make_bucket(name)
            return name
        except (MinioException, HTTPError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
