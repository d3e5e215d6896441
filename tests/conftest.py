"""What all tests share: where the real inputs are, and one way to run a stage in its venv or in its image."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

# A property is about values, not about how busy the machine is; the same examples every time.
hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = Path(os.environ.get("NOCTURNE_SHARED_DATA", ROOT.parent / "shared" / "data"))
IMAGE_TAG = os.environ.get("NOCTURNE_IMAGE_TAG", "local")


@dataclass(frozen=True)
class Ended:
    """A stage's process after it ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict:
        """The last line of standard output."""
        assert self.exit_code == 0, self.stderr
        return json.loads(self.stdout.splitlines()[-1])


@dataclass(frozen=True)
class Runner:
    """Runs `python -m <image> <stage>` in `.venv/<image>` or in the built image; same call, same answer."""

    kind: str
    folder: Path

    def __call__(self, image, stage, config=None, inputs=(), output=None, env=None) -> Ended:
        config = config if isinstance(config, str) else json.dumps(config or {})
        command = [*self._python(image, env or {}), stage, "--config", config]
        for name, uri in inputs:
            command += ["--input", f"{name}={uri}"]
        command += ["--output", output or f"{self.folder}/{stage}/"]
        done = subprocess.run(command, capture_output=True, text=True, env=self._env(image, env or {}), check=False)
        return Ended(done.returncode, done.stdout, done.stderr)

    def _python(self, image, env):
        if self.kind == "process":
            return [str(ROOT / ".venv" / image / "bin" / "python"), "-m", image]
        mounts = ["-v", f"{self.folder}:{self.folder}", "-v", f"{SHARED_DATA}:{SHARED_DATA}:ro"]
        variables = [item for name, value in env.items() for item in ("-e", f"{name}={value}")]
        user = ["--user", f"{os.getuid()}:{os.getgid()}", "--network", "host"]
        return ["docker", "run", "--rm", *user, *mounts, *variables, f"nocturne/{image}:{IMAGE_TAG}"]

    def _env(self, image, env):
        paths = f"{ROOT}/images/shared:{ROOT}/images/{image}"
        return os.environ | env | {"PYTHONPATH": paths} if self.kind == "process" else dict(os.environ)


def _has_image(image: str) -> bool:
    if not shutil.which("docker"):
        return False
    command = ["docker", "image", "inspect", f"nocturne/{image}:{IMAGE_TAG}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def run_stage(tmp_path) -> Runner:
    """Runs a stage as a process in its venv."""
    return Runner("process", tmp_path)


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.needs_docker)])
def run_anywhere(request, tmp_path) -> Runner:
    """Runs a stage in its venv, and again in its image."""
    if request.param == "docker" and not _has_image("curate"):
        pytest.skip(f"no Docker engine, or no image nocturne/curate:{IMAGE_TAG} (make images)")
    return Runner(request.param, tmp_path)


@pytest.fixture
def shared_data() -> Path:
    """The folder of real inputs and gold sets."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real inputs at {SHARED_DATA} (set NOCTURNE_SHARED_DATA)")
    return SHARED_DATA
