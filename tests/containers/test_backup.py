"""A copy of the stack's volumes and settings, filled into new volumes: the same files, owners and rights."""

import hashlib
import os
import stat
import subprocess
import sys

import pytest

from containers.conftest import ROOT, docker

pytestmark = pytest.mark.needs_docker
PROJECT = f"nocturne-backup-{os.getpid()}"
VOLUMES = (f"{PROJECT}_postgres", f"{PROJECT}_s3")
WRITE = "mkdir -m 700 /data/deep; echo kept >/data/deep/file; chown -R 999:998 /data/deep; ln -s deep/file /data/link"
LIST = "cd /data && find . -printf '%p %U:%G %m %l\\n' | sort && cat deep/file"


def backup(*words):
    command = [sys.executable, ROOT / "images/backup.py", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def inside(image):
    """Run a shell command beside a volume."""
    tool = image("airflow")

    def run(volume, command):
        mount = ("--volume", f"{volume}:/data", "--user", "0", "--entrypoint", "sh")
        return docker("run", "--rm", "--network", "none", *mount, tool, "-c", command)

    return run


@pytest.fixture
def env_file(tmp_path, image):
    path, tag = tmp_path / "env", image("airflow").rpartition(":")[2]
    path.write_text(f"COMPOSE_PROJECT_NAME={PROJECT}\nNOCTURNE_IMAGE_TAG={tag}\nS3_SECRET_KEY=secret\n")
    yield path
    docker("volume", "rm", "--force", *VOLUMES)


def test_what_is_restored_is_what_was_saved(env_file, inside, tmp_path):
    copy = tmp_path / "copy"
    assert "there is no volume" in backup("save", copy, env_file).stderr
    assert not copy.exists()
    for volume in VOLUMES:
        inside(volume, WRITE)
    before = [inside(volume, LIST) for volume in VOLUMES]
    saved = backup("save", copy, env_file)
    assert saved.returncode == 0, saved.stderr
    assert "is there already" in backup("save", copy, env_file).stderr
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert "hold data already" in backup("restore", copy, env_file).stderr
    docker("volume", "rm", *VOLUMES)

    env_file.write_text(env_file.read_text().replace("=secret", "=another"))
    assert "differs from the copy's settings" in backup("restore", copy, env_file).stderr
    env_file.unlink()
    restored = backup("restore", copy, env_file)
    assert restored.returncode == 0, restored.stderr
    assert [inside(volume, LIST) for volume in VOLUMES] == before
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    assert "S3_SECRET_KEY=secret" in env_file.read_text()


def test_a_damaged_copy_leaves_nothing_that_could_be_taken_for_data(env_file, inside, tmp_path):
    for volume in VOLUMES:
        inside(volume, WRITE)
    assert backup("save", tmp_path / "copy", env_file).returncode == 0
    docker("volume", "rm", *VOLUMES)
    archive, sums = tmp_path / "copy" / "s3.tar", tmp_path / "copy" / "SHA256SUMS"
    os.truncate(archive, 700)
    assert "s3.tar in" in (refused := backup("restore", tmp_path / "copy", env_file)).stderr
    assert (refused.returncode, "changed since" in refused.stderr) == (1, True)
    archive.write_bytes(b"no archive" * 200)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    sums.write_text(f"{sums.read_text()}{digest}  s3.tar\n")
    refused = backup("restore", tmp_path / "copy", env_file)
    assert (refused.returncode, "could not be copied" in refused.stderr) == (1, True)
    assert docker("volume", "ls", "--quiet", "--filter", f"name={PROJECT}") == ""


def test_a_stack_that_runs_is_not_copied(env_file, image, tmp_path):
    label = ("--label", f"com.docker.compose.project={PROJECT}", "--label", "com.docker.compose.service=postgres")
    running = docker("run", "--detach", "--rm", *label, "--entrypoint", "sleep", image("airflow"), "60").strip()
    try:
        refused = backup("save", tmp_path / "copy", env_file)
    finally:
        docker("kill", running)
    assert (refused.returncode, refused.stderr) == (1, f"postgres of {PROJECT} run. First: make down\n")


def test_what_is_no_copy_is_refused(env_file, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "it lacks env, postgres.tar, s3.tar, SHA256SUMS" in backup("restore", tmp_path / "empty", env_file).stderr
    assert backup("save", "").stderr == "usage: make backup TO=folder, or make restore FROM=folder\n"
