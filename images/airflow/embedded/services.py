"""Background services: started in sessions of their own, waited for, and stopped without leaving anything behind."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from embedded.processes import end, family, table


class ServiceFailed(Exception):
    """A service ended or did not answer in time; the message says which and shows the end of its log."""


@dataclass(frozen=True)
class Service:
    """One program to run in the background. `health` is a URL that answers 200 when it is ready."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    health: str = ""


class Running:
    """Services under way. Their process numbers are on disk, so that a later command can stop them if this one dies."""

    def __init__(self, register: Path) -> None:
        self.register = register
        self._processes: dict[str, tuple[Service, subprocess.Popen[bytes]]] = {}

    def start(self, service: Service) -> None:
        """Start a service in a session of its own."""
        service.log.parent.mkdir(parents=True, exist_ok=True)
        with service.log.open("wb") as log:
            process = subprocess.Popen(
                service.command,
                env=service.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes[service.name] = (service, process)
        self._write_register()

    def wait_ready(self, name: str, seconds: float = 180) -> None:
        """Wait until a service answers. Raises `ServiceFailed` when any of them ends, or time is up."""
        service, _ = self._processes[name]
        deadline = time.monotonic() + seconds
        while not answers(service.health):
            self.check()
            if time.monotonic() > deadline:
                raise ServiceFailed(f"{name} did not answer at {service.health} in {seconds:.0f} s.\n{end_of(service)}")
            time.sleep(0.2)

    def check(self) -> None:
        """Raise `ServiceFailed` when a service has ended by itself."""
        for service, process in self._processes.values():
            if (code := process.poll()) is not None:
                raise ServiceFailed(f"{service.name} ended with exit code {code}.\n{end_of(service)}")

    def stop(self) -> None:
        """Stop all services and everything they started."""
        end([process.pid for _, process in self._processes.values()])
        for _, process in self._processes.values():
            process.wait()
        self._processes.clear()
        self.register.unlink(missing_ok=True)

    def _write_register(self) -> None:
        processes = table()
        pids = [process.pid for _, process in self._processes.values()]
        entries = {pid: processes[pid].started for pid in pids if pid in processes}
        self.register.parent.mkdir(parents=True, exist_ok=True)
        self.register.write_text(json.dumps(entries))


def stop_left_over(register: Path) -> int:
    """Stop the services that a killed run left behind; returns how many there were."""
    if not register.exists():
        return 0
    entries = {int(pid): started for pid, started in json.loads(register.read_text() or "{}").items()}
    processes = table()
    # Another process may have got the number since; where the leader has ended, its session may still have members.
    ours = [pid for pid, started in entries.items() if pid not in processes or processes[pid].started == started]
    found = [pid for pid in ours if family([pid])]
    end(found)
    register.unlink()
    return len(found)


def answers(url: str) -> bool:
    """Whether a GET of the URL succeeds."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def end_of(service: Service, lines: int = 15) -> str:
    """The last lines of a service's log, and where it is."""
    text = service.log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([*(f"  | {line}" for line in text), f"Whole log: {service.log}"])
