"""The embedded stack: MLflow and the three services of Airflow that a run needs, on SQLite, on the loopback address.

    mlflow          tracking server and model registry
    api-server      UI, REST API, and what tasks report to
    scheduler       starts tasks, two at a time
    dag-processor   reads dags/

No triggerer, since nothing is deferred, and not `airflow standalone`, which leaves its children behind when it is
asked to end.
"""

import contextlib
import hashlib
import json
import secrets
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from embedded.airflow_api import Airflow
from embedded.console import Console
from embedded.lock import exclusive
from embedded.services import Running, Service, ServiceFailed, stop_left_over
from embedded.settings import (
    LOOPBACK,
    ROOT,
    USER,
    Home,
    Ports,
    airflow_environment,
    choose_ports,
    mlflow_environment,
    write_private,
)

POOL_OF_GPUS = "gpu"


@dataclass(frozen=True)
class Stack:
    """A stack that runs."""

    home: Home
    ports: Ports
    services: Running
    airflow: Airflow
    started: str

    @property
    def password(self) -> str:
        """The password of Airflow's user."""
        return password(self.home)


@contextlib.contextmanager
def running_stack(home: Home, runner: str, console: Console, command: str) -> Iterator[Stack]:
    """Start everything, hand over a logged-in stack, and stop everything whatever happens.

    Raises `Busy` when another command of this checkout has its stack up, `ServiceFailed` when a service does not start.
    """
    with exclusive(home.path, command):
        stop_left_over(register(home))
        services = Running(register(home))
        try:
            yield start(home, runner, services, console)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave services behind
            console.status("Stopping Airflow and MLflow")
            services.stop()


def register(home: Home) -> Path:
    """Where the process numbers of running services are kept."""
    return home.path / "services.json"


def start(home: Home, runner: str, services: Running, console: Console) -> Stack:
    """Start all services side by side and wait until they answer."""
    started = datetime.now(UTC).isoformat()
    ports = choose_ports()
    environment = airflow_environment(home, ports, runner)
    migrate_mlflow(home, console)
    console.status("Starting MLflow")
    services.start(mlflow_service(home, ports))
    password(home)
    migrate(home, environment, console)
    console.status("Starting Airflow")
    for service in airflow_services(home, ports, environment):
        services.start(service)
    services.wait_ready("api-server")
    airflow = Airflow(ports.airflow_url, USER, password(home))
    airflow.ensure_pool(POOL_OF_GPUS, 1)
    services.wait_ready("mlflow")
    return Stack(home, ports, services, airflow, started)


def mlflow_service(home: Home, ports: Ports) -> Service:
    """MLflow on SQLite, one worker."""
    home.mlflow.mkdir(parents=True, exist_ok=True)
    python = str(ROOT / ".venv" / "mlflow" / "bin" / "python")
    options = {
        "--host": LOOPBACK,
        "--port": str(ports.mlflow),
        "--workers": "1",
        "--backend-store-uri": f"sqlite:///{home.mlflow / 'mlflow.db'}",
        "--artifacts-destination": str(home.mlflow / "artifacts"),
    }
    command = (python, "-m", "mlflow", "server", *(part for option in options.items() for part in option))
    return Service("mlflow", command, mlflow_environment(), home.logs / "mlflow.log", f"{ports.mlflow_url}/health")


def airflow_services(home: Home, ports: Ports, environment: dict[str, str]) -> tuple[Service, ...]:
    """The api-server, the scheduler and the DAG processor."""
    health = f"{ports.airflow_url}/api/v2/version"

    def service(name: str, *arguments: str, health: str = "") -> Service:
        return Service(name, airflow_command(name, *arguments), environment, home.logs / f"{name}.log", health)

    return (
        service("api-server", "--host", LOOPBACK, "--port", str(ports.airflow), health=health),
        service("scheduler", "--skip-serve-logs"),  # logs are files on this machine; that server would listen to all
        service("dag-processor"),
    )


def airflow_command(*arguments: str) -> tuple[str, ...]:
    """A command of Airflow, in its own environment."""
    return (str(ROOT / ".venv" / "airflow" / "bin" / "python"), "-m", "airflow", *arguments)


def migrate(home: Home, environment: dict[str, str], console: Console) -> None:
    """Bring Airflow's database up to date; done once for each set of locked versions, since it takes ten seconds."""
    command = airflow_command("db", "migrate")
    _migrate_once("airflow", home.airflow / "airflow.db", lambda: _run(command, environment, console, "Airflow"))


def migrate_mlflow(home: Home, console: Console) -> None:
    """Bring MLflow's database up to date where there is one: the server makes a new one but refuses an older one."""
    database = home.mlflow / "mlflow.db"
    python = str(ROOT / ".venv" / "mlflow" / "bin" / "python")
    command = (python, "-m", "mlflow", "db", "upgrade", f"sqlite:///{database}")

    def upgrade() -> None:
        if database.exists():
            _run(command, mlflow_environment(), console, "MLflow")

    _migrate_once("mlflow", database, upgrade)


def _migrate_once(image: str, database: Path, act: Callable[[], None]) -> None:
    wanted = hashlib.sha256((ROOT / "images" / image / "requirements.lock").read_bytes()).hexdigest()
    stamp = database.with_name("migrated")
    if stamp.exists() and stamp.read_text() == wanted and database.exists():
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    act()
    stamp.write_text(wanted)


def _run(command: tuple[str, ...], environment: dict[str, str], console: Console, whose: str) -> None:
    console.status(f"Making {whose}'s database")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceFailed(f"{whose}'s database cannot be made:\n{(done.stdout + done.stderr)[-3000:]}")


def password(home: Home) -> str:
    """The password of Airflow's user, made on first use."""
    if not home.password_file.exists():
        write_private(home.password_file, json.dumps({USER: secrets.token_urlsafe(12)}))
    return str(json.loads(home.password_file.read_text())[USER])
