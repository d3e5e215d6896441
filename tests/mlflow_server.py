"""A real MLflow server that tests start, stop and start again at the same address, with the same database."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from conftest import ROOT


class MlflowServer:
    """One server over a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [ROOT / ".venv/finetune/bin/python", "-m", "mlflow", "server", "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        command += ["--artifacts-destination", f"{self.folder}/artifacts", "--workers", "1"]
        quiet = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}  # ten processes that nothing here needs
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=quiet, start_new_session=True)
        for _ in range(240):
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                assert self._process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.5)

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it with all its processes."""
        assert self._process
        os.killpg(self._process.pid, how)
        self._process.wait(timeout=30)
