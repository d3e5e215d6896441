"""The process runner: a stage in its own venv, `.venv/<image>/bin/python -m <image> <stage> ...`.

For machines without a Docker engine. No isolation and no limits, so it refuses to run where Airflow is set up for
several users (any auth manager but the simple one): there, whoever may edit a recipe would share the scheduler's user.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from airflow.configuration import conf

from airflow_side.runners.spec import Ended, RunSpec
from airflow_side.settings import Settings
from contract.failures import BadConfig, RemoteTrouble

PASSED_ON = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ"),
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "https_proxy", "no_proxy"),
    *("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "HF_HOME", "HF_ENDPOINT", "HF_HUB_OFFLINE", "OMP_NUM_THREADS"),
)
SIMPLE_AUTH = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
GRACE = 2.0  # seconds between asking and forcing; with the wait after it, inside the four that `kill` may take
GONE = 1.5


class ProcessRunner:
    """Starts the command in a session of its own; a lock file that it inherits shows for how long any of it lives."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, spec: RunSpec, say: Callable[[str], None]) -> Ended:
        """Run the command to its end, after ending what is left of an earlier try."""
        python = self._python(spec.image)
        folder = self._folder(spec)
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder, say) as lock:
            result = folder / "return.json"
            result.unlink(missing_ok=True)
            try:
                exit_code = self._execute(python, spec, folder, lock, say)
                return Ended(exit_code, result.read_bytes() if result.is_file() else None)
            finally:
                self.kill()
                shutil.rmtree(folder)

    def kill(self) -> None:
        """Ask the whole session to end, then force it."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            end_session(process.pid, lambda: process.poll() is not None)
        else:
            _signal(process.pid, signal.SIGKILL)  # children that outlived their leader

    def _execute(self, python: Path, spec: RunSpec, folder: Path, lock: int, say: Callable[[str], None]) -> int:
        process = self._process = subprocess.Popen(
            [str(python), "-m", spec.image, *spec.arguments],
            env=self._environment(spec, folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
        )
        (folder / "pid").write_text(str(process.pid))
        assert process.stdout
        for line in process.stdout:
            say(line.decode("utf-8", "replace"))
        code = process.wait()
        return code if code >= 0 else 128 - code  # as a shell and Docker say it

    def _python(self, image: str) -> Path:
        if conf.get("core", "auth_manager") != SIMPLE_AUTH:
            raise BadConfig(
                "NOCTURNE_RUNNER=process on an Airflow with user accounts",
                expected="NOCTURNE_RUNNER=docker, since a process has no isolation from the scheduler and no limits",
                where="the environment",
            )
        python = self.settings.home / ".venv" / image / "bin" / "python"
        if not python.exists():
            raise BadConfig(
                f"there is no {python}",
                expected=f"a virtual environment with the packages of image {image}",
                hint="`make venvs`, or set NOCTURNE_HOME to the project's folder",
            )
        return python

    def _environment(self, spec: RunSpec, folder: Path) -> dict[str, str]:
        images = self.settings.home / "images"
        return {
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            **spec.env,
            **spec.secrets,
            **({} if self.settings.gpu else {"CUDA_VISIBLE_DEVICES": ""}),
            "NOCTURNE_IMAGE": f"process:{spec.image}",
            "NOCTURNE_CODE_VERSION": self.settings.code_version or "unknown",
            "NOCTURNE_RESULT": str(folder / "return.json"),
            "PYTHONPATH": f"{images / 'shared'}:{images / spec.image}",
            "PYTHONUNBUFFERED": "1",
        }

    def _folder(self, spec: RunSpec) -> Path:
        """This task instance's place for its lock and result: beside a local store, else in the project's folder."""
        store = self.settings.store
        root = Path(store.path) if store.scheme == "file" else self.settings.home / ".nocturne"
        return root / ".tasks" / spec.identity.hash


def end_session(leader: int, ended: Callable[[], bool]) -> None:
    """Ask every process of a session to end, force after two seconds whatever is left, and wait for `ended`."""
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GONE)):
        _signal(leader, number)
        deadline = time.monotonic() + patience
        while not ended() and time.monotonic() < deadline:
            time.sleep(0.05)


def _signal(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


@contextlib.contextmanager
def _locked(folder: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Hold the task instance's lock, which the command inherits: while anybody holds it, an earlier try still lives.

    Raises `RemoteTrouble` when an earlier try cannot be ended.
    """
    handle = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
    try:
        if not _take(handle):
            _evict(folder, handle, say)
        folder.mkdir(exist_ok=True)  # the earlier try's worker may have removed it on its way out
        yield handle
    finally:
        os.close(handle)


def _evict(folder: Path, handle: int, say: Callable[[str], None]) -> None:
    try:
        leader = int((folder / "pid").read_text())
    except (FileNotFoundError, ValueError):
        raise RemoteTrouble("an earlier try of this task is just starting or ending", where=str(folder)) from None
    say(f"WARNING an earlier try still runs as process {leader}; ending it\n")
    end_session(leader, lambda: _take(handle))
    if not _take(handle):
        raise RemoteTrouble("an earlier try of this task still runs and cannot be ended", where=str(folder))


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
