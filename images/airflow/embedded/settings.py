"""Where the embedded stack keeps its things, on which ports it listens, and the environment its services start in."""

import os
import secrets
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LOOPBACK = "127.0.0.1"
USER = "admin"
# Deprecation notices of two of Airflow's own dependencies, which would head every task's log.
QUIET = "ignore:Using `httpx` with `starlette,ignore:GitWildMatchPattern"


class NoPort(Exception):
    """No port to listen on; the message names the variable that asked for one."""


@dataclass(frozen=True)
class Home:
    """The folder of everything that the embedded stack writes; deleting it forgets all runs."""

    path: Path = ROOT / ".nocturne"

    @property
    def store(self) -> Path:
        """Datasets, models and the raw articles."""
        return self.path / "store"

    @property
    def airflow(self) -> Path:
        """Airflow's database and task logs."""
        return self.path / "airflow"

    @property
    def mlflow(self) -> Path:
        """MLflow's database and artifacts."""
        return self.path / "mlflow"

    @property
    def logs(self) -> Path:
        """What the services themselves print."""
        return self.path / "logs"

    @property
    def password_file(self) -> Path:
        """Airflow's users and their passwords, readable by their owner only."""
        return self.airflow / "passwords.json"

    def secret(self, name: str) -> str:
        """A random secret, made on first use and kept in a file that only its owner can read."""
        path = self.path / "secrets" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, secrets.token_urlsafe(48))
        return path.read_text()


@dataclass(frozen=True)
class Ports:
    """Where the two web servers listen, on the loopback address only."""

    airflow: int
    mlflow: int

    @property
    def airflow_url(self) -> str:
        """Airflow's UI and REST API."""
        return f"http://{LOOPBACK}:{self.airflow}"

    @property
    def mlflow_url(self) -> str:
        """MLflow's UI and REST API."""
        return f"http://{LOOPBACK}:{self.mlflow}"


def choose_ports() -> Ports:
    """`AIRFLOW_PORT` [8080] and `MLFLOW_PORT` [5000], or the next free ones. Raises `NoPort`."""
    airflow = free_port("AIRFLOW_PORT", 8080)
    return Ports(airflow, free_port("MLFLOW_PORT", 5000, taken=airflow))


def free_port(name: str, usual: int, taken: int = 0) -> int:
    """The first port that nobody listens on, from the one in the environment on. Raises `NoPort`."""
    wanted = os.environ.get(name) or str(usual)
    ports = range(int(wanted), 65_536) if wanted.isdecimal() else ()
    found = next((port for port in ports if port and port != taken and is_free(port)), None)
    if found is None:
        raise NoPort(f"{name} is {wanted!r}, from which on no port is free. Expected: a number from 1 to 65535.")
    return found


def is_free(port: int) -> bool:
    """Whether this machine would let us listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody but its owner may read, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def code_version() -> str:
    """The commit of this checkout, for every manifest and model; empty where there is no git to ask."""
    command = ("git", "-C", str(ROOT), "describe", "--always", "--dirty")
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def airflow_environment(home: Home, ports: Ports, runner: str) -> dict[str, str]:
    """Everything that Airflow's services and the stages they start are told."""
    airflow = {
        "CORE__DAGS_FOLDER": ROOT / "dags",
        "CORE__PLUGINS_FOLDER": ROOT / "plugins",
        "CORE__LOAD_EXAMPLES": False,
        "CORE__PARALLELISM": 2,
        "CORE__EXECUTION_API_SERVER_URL": f"{ports.airflow_url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": home.password_file,
        "CORE__FERNET_KEY": "",
        "API__BASE_URL": ports.airflow_url,
        "API__HOST": LOOPBACK,
        "API__PORT": ports.airflow,
        "API__SECRET_KEY": home.secret("api_key"),
        "API_AUTH__JWT_SECRET": home.secret("jwt"),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.airflow / 'airflow.db'}",
        "DATABASE__CHECK_MIGRATIONS": False,  # done before the services start
        "DAG_PROCESSOR__REFRESH_INTERVAL": 10,
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 30,
        "DAG_PROCESSOR__PARSING_PROCESSES": 1,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.1,
    }
    nocturne = {
        "NOCTURNE_HOME": ROOT,
        "NOCTURNE_CODE_VERSION": code_version(),
        "NOCTURNE_RUNNER": runner,
        "NOCTURNE_DOCKER_NETWORK": "host",  # so that a container reaches MLflow on the loopback address
        "NOCTURNE_STORE": f"file://{home.store}",
        "NOCTURNE_MLFLOW_UI": ports.mlflow_url,
        "MLFLOW_TRACKING_URI": ports.mlflow_url,
    }
    own = {
        "AIRFLOW_HOME": home.airflow,
        "PYTHONPATH": os.pathsep.join(str(ROOT / "images" / name) for name in ("shared", "airflow")),
        "PYTHONWARNINGS": QUIET,
    }
    values = {f"AIRFLOW__{name}": value for name, value in airflow.items()} | nocturne | own
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
    return inherited | {name: str(value) for name, value in values.items()}


def mlflow_environment() -> dict[str, str]:
    """MLflow's server without its job consumers, which would take two gigabytes."""
    return os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "GIT_PYTHON_REFRESH": "quiet"}
