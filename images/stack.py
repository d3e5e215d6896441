"""The compose stack's settings and health.

python3 images/stack.py env [FILE]     write .env from .env.example, with generated secrets, unless it is there
python3 images/stack.py wait [FILE]    wait until every container of that stack is healthy or has done its work
"""

import base64
import json
import os
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 600  # seconds; a first start migrates two databases, and machines can be busy
LOG_LINES = "30"
Json = dict[str, Any]


def secret(name: str) -> str:
    """A random value; Fernet keys have a form of their own."""
    if name == "AIRFLOW_FERNET_KEY":
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(16)


def write_env(example: Path, target: Path) -> bool:
    """Copy the example with a secret for each <generated>; false where the target is there already."""
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    text = re.sub(r"^(\w+)=<generated>$", lambda line: f"{line[1]}={secret(line[1])}", example.read_text(), flags=re.M)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return True


def docker(*arguments: str) -> str:
    """The output of a docker command. Raises CalledProcessError."""
    return subprocess.run(["docker", *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def containers(project: str) -> list[Json]:
    """The inspected containers that compose made for the project's services."""
    ids = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={project}").split()
    return json.loads(docker("inspect", *ids)) if ids else []


def condition(container: Json) -> str:
    """ready, waiting, or what went wrong: exited N or unhealthy."""
    state = container["State"]
    if state["Status"] == "exited":
        once = container["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")
        return "ready" if once and state["ExitCode"] == 0 else f"exited {state['ExitCode']}"
    health = state.get("Health", {}).get("Status", "healthy")
    if health == "unhealthy":
        return "unhealthy"
    return "ready" if state["Status"] == "running" and health == "healthy" else "waiting"


def service(container: Json) -> str:
    """The name of the compose service that a container runs."""
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def wait(project: str) -> int:
    """Poll until all are ready; print what is not, with the end of its log. Returns the exit status."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = {service(container): container for container in containers(project)}
        late = {name: condition(container) for name, container in found.items() if condition(container) != "ready"}
        if found and not late:
            print(f"{len(found)} services ready: {', '.join(sorted(found))}")
            return 0
        if time.monotonic() > deadline or any(state.startswith("exited") for state in late.values()):
            return complain({name: (state, found[name]["Id"]) for name, state in late.items()}, project)
        time.sleep(2)


def complain(late: dict[str, tuple[str, str]], project: str) -> int:
    """Say what is not ready and show the end of its log."""
    for name, (state, container) in sorted(late.items()):
        print(f"--- {name}: {state}", file=sys.stderr, flush=True)
        subprocess.run(["docker", "logs", "--tail", LOG_LINES, container], stdout=sys.stderr, check=False)
    names = ", ".join(f"{name} {state}" for name, (state, _) in sorted(late.items()))
    print(f"{project} is not ready: {names or 'no container is there'}", file=sys.stderr)
    return 1


def settings(path: Path) -> dict[str, str]:
    """What compose sees: the file's settings, overridden by the shell's."""
    lines = [line for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")]
    return {name: os.environ.get(name, value) for name, value in (line.split("=", 1) for line in lines)}


def main(command: str, path: Path) -> int:
    """Write the settings, or wait for the stack and say where it is."""
    if command == "env":
        if write_env(ROOT / ".env.example", path):
            print(f"wrote {path} with new secrets, readable by you only")
        return 0
    known = settings(path)
    if status := wait(known["COMPOSE_PROJECT_NAME"]):
        return status
    print(f"Airflow   http://localhost:{known['AIRFLOW_PORT']}  user admin, password: AIRFLOW_ADMIN_PASSWORD in {path}")
    print(f"MLflow    http://localhost:{known['MLFLOW_PORT']}")
    print(f"S3        http://localhost:{known['S3_PORT']}  buckets nocturne and mlflow, keys: S3_* in {path}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[1] not in ("env", "wait"):
        sys.exit("usage: stack.py env|wait [ENV_FILE]")
    sys.exit(main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) == 3 else Path(".env")))
