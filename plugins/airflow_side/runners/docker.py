"""The Docker runner: a stage in a container of its image, with hard limits and nothing left behind.

What `DockerOperator` 4.6.1 does not do, and this does: an init process, so that a stage hears SIGTERM; limits on CPU,
memory and processes; no capabilities; an end within four seconds of a kill, before Airflow kills the worker itself;
labels by which a retry finds the container of a worker that died, instead of starting a second one beside it; the
result from a file instead of the log's last line; out of memory told apart from a kill.
"""

import contextlib
import io
import logging
import os
import re
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowException
from docker import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import DeviceRequest, Mount
from requests import RequestException

from airflow_side.runners.spec import Ended, RunSpec
from airflow_side.settings import Settings
from contract.failures import BadConfig, RemoteTrouble
from contract.uris import Address

RESULT = "/airflow/xcom/return.json"  # where Airflow's Kubernetes operator keeps it, too
STOP_GRACE = 2  # seconds between SIGTERM and SIGKILL; removal must still fit into the four that `kill` may take
OWNER_PATIENCE = 12.0  # a worker that lives hears of a clear with its next heartbeat (5 s) and ends its container in 4
PIDS = 4096
TORCH_SHM = 2 << 30  # data loaders hand batches over in /dev/shm, of which a container has 64 MB by default
GB = 1 << 30
NO_GPU = "could not select device driver"
NO_NETWORK = re.compile(r"network \S+ not found")
FORBIDDEN = 403

log = logging.getLogger(__name__)


class DockerRunner:
    """Creates, follows, reads and removes one container at a time."""

    def __init__(self, settings: Settings, connect: Callable[[], APIClient]) -> None:
        self.settings = settings
        self._connect = connect
        self._labels: dict[str, str] = {}
        self._id = ""
        self._killed = False

    def run(self, spec: RunSpec, say: Callable[[str], None]) -> Ended:
        """Adopt the container of an earlier try that asked for the same, or start one; follow it; remove it."""
        with _engine_trouble(self.settings.docker_url):
            client = self._connect()
            image = self._image(client, spec.image)
            self._labels = _labels(spec)
            try:
                self._id = self._adopt(client, spec, say) or self._create(client, spec, image)
                self._start(client)
                return self._follow(client, say)
            finally:
                self.kill()

    def kill(self) -> None:
        """Stop and remove what this try has made or adopted."""
        self._killed = True
        if not self._labels:
            return
        try:
            client = self._connect()  # a connection of its own: the other may be in the middle of a read
            for container in {self._id, *self._made(client)} - {""}:
                _remove(client, container)
        except (DockerException, RequestException) as error:
            log.warning("the Docker engine does not answer, so the container stays for the next try: %s", error)

    def _made(self, client: APIClient) -> list[str]:
        """Containers that bear this try's labels; there is one even where the answer to its creation was lost."""
        labels = [f"{name}={self._labels[name]}" for name in ("nocturne.task", "nocturne.try")]
        return [item["Id"] for item in client.containers(all=True, filters={"label": labels})]

    def _image(self, client: APIClient, image: str) -> Mapping[str, Any]:
        name = f"nocturne/{image}:{self.settings.image_tag}"
        try:
            found: Mapping[str, Any] = client.inspect_image(name)
        except ImageNotFound:
            raise BadConfig(
                f"the engine has no image {name}",
                where=self.settings.docker_url,
                hint="`make images` builds it; NOCTURNE_IMAGE_TAG chooses the tag",
            ) from None
        return found

    def _adopt(self, client: APIClient, spec: RunSpec, say: Callable[[str], None]) -> str:
        """The container of an earlier try that does what this one wants; all others of this task instance are removed.

        A try that was cleared may still have a living worker, about to stop its container; so a running container
        counts as left behind only when nobody has stopped it for a while.
        """
        deadline = time.monotonic() + OWNER_PATIENCE
        while not self._killed:
            found = client.containers(all=True, filters={"label": f"nocturne.task={spec.identity.hash}"})
            wanted = next((item for item in found if _does(item, spec)), None)
            for item in found:
                if item is not wanted and item["State"] != "removing":
                    say(f"WARNING removing container {item['Id'][:12]} of an earlier try")
                    _remove(client, item["Id"])
            if wanted is None:
                return ""
            if wanted["State"] == "exited" or time.monotonic() > deadline:
                say(f"INFO taking over container {wanted['Id'][:12]} of an earlier try")
                return str(wanted["Id"])
            time.sleep(0.5)
        return ""

    def _create(self, client: APIClient, spec: RunSpec, image: Mapping[str, Any]) -> str:
        self._stop_if_killed()
        created = client.create_container(
            image=f"nocturne/{spec.image}:{self.settings.image_tag}",
            command=list(spec.arguments),
            environment=self._environment(spec, image["Id"]),
            labels=self._labels,
            user=self._user(),
            host_config=client.create_host_config(**self._limits(client, spec), **self._surroundings(spec)),
        )
        return str(created["Id"])

    def _environment(self, spec: RunSpec, image_id: str) -> dict[str, str]:
        return {
            **spec.env,
            **spec.secrets,
            "NOCTURNE_IMAGE": f"nocturne/{spec.image}:{self.settings.image_tag}@{image_id}",
            "NOCTURNE_RESULT": RESULT,
            "PYTHONUNBUFFERED": "1",
        } | ({"HOME": "/tmp"} if self._user() else {})

    def _limits(self, client: APIClient, spec: RunSpec) -> dict[str, Any]:
        """Hard limits, no more than the engine has: more CPUs than that is an error, more memory no limit."""
        engine = client.info()
        memory = min(int(spec.resources.memory_gb * GB), engine["MemTotal"])
        return {
            "init": True,
            "nano_cpus": int(min(spec.resources.cpus, engine["NCPU"]) * 1e9),
            "mem_limit": memory,
            "memswap_limit": memory,
            "pids_limit": PIDS,
            "shm_size": TORCH_SHM if spec.image == "finetune" else None,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
        }

    def _surroundings(self, spec: RunSpec) -> dict[str, Any]:
        gpus = spec.resources.gpu and self.settings.gpu
        return {
            "network_mode": self.settings.docker_network,
            "mounts": [*_store_mount(self.settings), *(_read_only(path) for path in spec.reads)],
            "device_requests": [DeviceRequest(driver="nvidia", count=-1, capabilities=[["gpu"]])] if gpus else None,
        }

    def _user(self) -> str | None:
        """With a store in a local folder, that folder's owner, so that a person can read and delete what is written."""
        if self.settings.store.scheme != "file":
            return None
        Path(self.settings.store.path).mkdir(parents=True, exist_ok=True)
        stat = os.stat(self.settings.store.path)
        return f"{stat.st_uid}:{stat.st_gid}"

    def _start(self, client: APIClient) -> None:
        self._stop_if_killed()
        if self._state(client)["Status"] == "created":
            client.start(self._id)

    def _stop_if_killed(self) -> None:
        if self._killed:
            raise RemoteTrouble("the task was stopped before its container started")

    def _follow(self, client: APIClient, say: Callable[[str], None]) -> Ended:
        for line in _lines(client.logs(self._id, stream=True, follow=True)):
            say(line)
        client.wait(self._id)
        state = self._state(client)
        exit_code = int(state["ExitCode"])
        return Ended(exit_code, self._result(client), bool(state["OOMKilled"]) and exit_code != 0)

    def _state(self, client: APIClient) -> Mapping[str, Any]:
        state: Mapping[str, Any] = client.inspect_container(self._id)["State"]
        return state

    def _result(self, client: APIClient) -> bytes | None:
        try:
            chunks, _ = client.get_archive(self._id, RESULT)
        except NotFound:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            file = archive.extractfile(archive.getmembers()[0])
            return file.read() if file else None


def _labels(spec: RunSpec) -> dict[str, str]:
    who = spec.identity
    return {
        "nocturne.task": who.hash,
        "nocturne.spec": spec.hash,
        "nocturne.dag_id": who.dag_id,
        "nocturne.run_id": who.run_id,
        "nocturne.task_id": who.task_id,
        "nocturne.map_index": str(who.map_index),
        "nocturne.try": str(who.try_number),
    }


def _does(item: Mapping[str, Any], spec: RunSpec) -> bool:
    """Whether a listed container is worth adopting: it was given the same command, and runs or has succeeded."""
    alive = item["State"] in ("created", "running", "restarting", "paused")
    return item["Labels"]["nocturne.spec"] == spec.hash and (alive or item["Status"].startswith("Exited (0)"))


@contextlib.contextmanager
def _engine_trouble(url: str) -> Iterator[None]:
    """Turn what the engine says into failures that say whether another try may help."""
    try:
        yield
    except NotFound as error:
        if NO_NETWORK.search(str(error.explanation)):
            raise BadConfig(
                f"the engine says: {error.explanation}",
                where=url,
                hint="NOCTURNE_DOCKER_NETWORK names the network that stages join",
            ) from None
        raise RemoteTrouble(f"the container was removed while it ran: {error.explanation}") from None
    except APIError as error:
        if error.status_code == FORBIDDEN:
            raise BadConfig(
                f"the engine, or the proxy before it, refuses the container: {error.explanation}",
                where=url,
                hint="images/socket-proxy/policy.py says what a stage's container may be",
            ) from None
        if NO_GPU in str(error.explanation):
            raise BadConfig(
                f"the engine has no GPU to give: {error.explanation}",
                where=url,
                hint="install the NVIDIA container toolkit, or set NOCTURNE_GPU=0",
            ) from None
        raise RemoteTrouble(f"the Docker engine says: {error.explanation or error}", where=url) from None
    except (DockerException, RequestException, AirflowException) as error:
        raise RemoteTrouble(f"the Docker engine does not answer: {error}", where=url, hint="start it") from None


def _remove(client: APIClient, container: str) -> None:
    """Stop and remove; nothing happens where it is gone, or being removed by somebody else (409)."""
    with contextlib.suppress(NotFound):
        client.stop(container, timeout=STOP_GRACE)
        try:
            client.remove_container(container, force=True, v=True)
        except APIError as error:
            if error.status_code != 409:
                raise


def _store_mount(settings: Settings) -> list[Mount]:
    store: Address = settings.store
    if store.scheme != "file":
        return []
    return [Mount(target=store.path, source=settings.host_store, type="bind")]


def _read_only(path: str) -> Mount:
    return Mount(target=path, source=path, type="bind", read_only=True)


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Whole lines out of chunks that end anywhere."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")
