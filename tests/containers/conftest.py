"""What the container tests share. They need only pytest and the docker command."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TAG = os.environ.get("NOCTURNE_IMAGE_TAG", "local")


def docker(*arguments, check=True):
    """Run a docker command and return its standard output."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, f"docker {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout


# Where an engine and the images have been prepared, their absence is an error and no reason to skip.
absent = pytest.fail if os.environ.get("NOCTURNE_EXPECT_DOCKER") else pytest.skip


def has_engine():
    """Whether a Docker engine answers."""
    return (
        shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    )


@pytest.fixture(scope="session")
def image():
    """The full name of one of our images, by its folder; skips where it is not built."""
    if not has_engine():
        absent("no Docker engine answers")
    there = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()

    def full_name(folder):
        name = f"nocturne/{folder}:{TAG}"
        if name not in there:
            absent(f"no image {name} (make images)")
        return name

    return full_name


@pytest.fixture(scope="session")
def in_image(image):
    """Run Python code in an image and return what it prints as JSON."""

    def run(folder, code, *options):
        hardened = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--network", "none"]
        entry = ["--entrypoint", "python", *options]
        return json.loads(docker("run", "--rm", *hardened, *entry, image(folder), "-c", code))

    return run
