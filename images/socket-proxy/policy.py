"""What the Airflow scheduler may ask of the Docker engine, as pure functions.

The engine's API is root on the host, so this is an allow-list all the way down: a route or a field of a container
that is not named here is refused. Go reads JSON keys in any case and takes the last of two; so a body is parsed
strictly and sent on as re-serialised here, never as it came.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

OWNER_LABEL = "nocturne.socket-proxy"
ID = r"(?P<id>[A-Za-z0-9][A-Za-z0-9_.-]*)"
ROUTES = {
    "ping": ("GET|HEAD", r"/_ping"),
    "about": ("GET", r"/version|/info"),
    "image": ("GET", r"/images/(?P<image>[A-Za-z0-9][A-Za-z0-9_./:@-]*)/json"),
    "pull": ("POST", r"/images/create"),
    "list": ("GET", r"/containers/json"),
    "create": ("POST", r"/containers/create"),
    "read": ("GET|HEAD", rf"/containers/{ID}/(json|logs|archive)"),
    "steer": ("POST", rf"/containers/{ID}/(start|wait|stop|kill)"),
    "remove": ("DELETE", rf"/containers/{ID}"),
}
CONTAINER_FIELDS = {
    *("Image", "Cmd", "Entrypoint", "Env", "Labels", "User", "WorkingDir", "Hostname", "Tty", "AttachStdout"),
    *("AttachStderr", "StopSignal", "StopTimeout", "NetworkDisabled", "HostConfig", "NetworkingConfig"),
}
HOST_FIELDS = {
    *("Memory", "MemorySwap", "MemoryReservation", "NanoCpus", "CpuShares", "CpuPeriod", "CpuQuota", "CpusetCpus"),
    *("PidsLimit", "ShmSize", "Ulimits", "Init", "ReadonlyRootfs", "Tmpfs", "DeviceRequests", "AutoRemove"),
    *("Mounts", "NetworkMode", "IpcMode", "LogConfig", "RestartPolicy", "Runtime", "CapDrop", "SecurityOpt"),
}
Json = dict[str, Any]
HARDENING = re.compile(r"no-new-privileges([:=]true)?")


class Refused(Exception):
    """A request that the policy does not allow; the message says which part of it."""

    status = 403


class Missing(Refused):
    """A container that is not there."""

    status = 404


@dataclass(frozen=True)
class Policy:
    """Whose containers, which images and which networks a caller may use."""

    owner: str
    images: re.Pattern[str]
    networks: frozenset[str]
    runtimes: frozenset[str] = field(default=frozenset({"runc", "runsc", "nvidia"}))


@dataclass(frozen=True)
class Request:
    """An allowed route with what was read from its path and query."""

    kind: str
    path: str
    query: dict[str, str]
    names: dict[str, str]


def route(method: str, target: str) -> Request:
    """Match a request line against the routes. Raises Refused for anything else, including encoded path characters."""
    raw, _, query = target.partition("?")
    path = re.sub(r"^/v1\.\d+(?=/)", "", raw)
    for kind, (methods, pattern) in ROUTES.items():
        found = re.fullmatch(pattern, path)
        if found and re.fullmatch(methods, method) and ".." not in path:
            return Request(kind, raw, unique(parse_qsl(query, keep_blank_values=True)), found.groupdict())
    raise Refused(f"{method} {path} is not among the calls that running a stage needs")


def unique(pairs: Iterable[tuple[str, Any]]) -> Json:
    """A dict from pairs whose names differ in more than case. Raises Refused."""
    result: Json = {}
    seen: set[str] = set()
    for name, value in pairs:
        if name.lower() in seen:
            raise Refused(f"{name} is given twice")
        seen.add(name.lower())
        result[name] = value
    return result


def check_image(image: object, policy: Policy) -> None:
    """Raises Refused unless the image is one of Nocturne's."""
    if not isinstance(image, str) or not policy.images.fullmatch(image):
        raise Refused(f"image {image!r} does not match {policy.images.pattern}")


def check_pull(query: dict[str, str], policy: Policy) -> None:
    """A pull names an allowed image; an import from an address is refused."""
    if extra := query.keys() - {"fromImage", "tag", "platform"}:
        raise Refused(f"images/create with {', '.join(sorted(extra))}")
    image, tag = query.get("fromImage", ""), query.get("tag", "")
    separator = "@" if tag.startswith("sha256:") else ":"
    check_image(f"{image}{separator}{tag}" if tag else image, policy)


def own_filter(query: dict[str, str], policy: Policy) -> dict[str, str]:
    """Narrow a listing to the containers that were made through this proxy."""
    filters = json.loads(query.get("filters") or "{}", object_pairs_hook=unique)
    labels = filters.get("label") or []
    names = list(labels) if isinstance(labels, dict) else labels
    filters["label"] = [*names, f"{OWNER_LABEL}={policy.owner}"]
    return query | {"filters": json.dumps(filters)}


def owned(container: Json, policy: Policy) -> bool:
    """Whether an inspected container was made through this proxy."""
    config = container.get("Config")
    labels = config.get("Labels") if isinstance(config, dict) else None
    return isinstance(labels, dict) and labels.get(OWNER_LABEL) == policy.owner


def narrow(found: Json, allowed: set[str], where: str) -> Json:
    """The fields that are neither null, false, 0 nor empty. Raises Refused for one that is not allowed."""
    said = {name: value for name, value in found.items() if value}
    if extra := said.keys() - allowed:
        raise Refused(f"{where}{', '.join(sorted(extra))} is not allowed")
    return said


def check_create(body: bytes, policy: Policy) -> bytes:
    """The body of a create call, stripped of what says nothing, labelled, and without capabilities.

    Raises Refused for a foreign image, a root user, a host path, a host namespace, a device other than a GPU request, a
    network that is not listed, and every field that is not known to be harmless.
    """
    try:
        return json.dumps(check_container(json.loads(body, object_pairs_hook=unique), policy)).encode()
    except (AttributeError, TypeError) as wrong_type:
        raise Refused(f"a field of the container has the wrong type: {wrong_type}") from wrong_type


def check_container(parsed: Json, policy: Policy) -> Json:
    """The checked container of `check_create`. Raises Refused, or AttributeError or TypeError for a malformed field."""
    container = narrow(parsed, CONTAINER_FIELDS, "")
    check_image(container.get("Image"), policy)
    if re.match(r"(root|0+)(:|$)", str(container.get("User", ""))):
        raise Refused("User root is not allowed")
    networks = (container.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
    if foreign := set(networks) - policy.networks:
        raise Refused(f"network {', '.join(sorted(foreign))} is not allowed")
    container["HostConfig"] = check_host(container.get("HostConfig") or {}, policy)
    container["Labels"] = dict(container.get("Labels") or {}) | {OWNER_LABEL: policy.owner}
    return container


def check_host(found: Json, policy: Policy) -> Json:
    """The host side of a create call. Raises Refused; takes away capabilities whether or not the caller did."""
    host = narrow(found, HOST_FIELDS, "HostConfig.")
    kinds = {mount.get("Type") for mount in host.get("Mounts", [])}
    allowed = {
        "NetworkMode": host.get("NetworkMode") in policy.networks | {"none"},
        "Mounts": kinds <= {"tmpfs"},
        "IpcMode": host.get("IpcMode", "private") in ("private", "none"),
        "LogConfig": host.get("LogConfig", {}).get("Type") in (None, "", "json-file", "local"),
        "RestartPolicy": host.get("RestartPolicy", {}).get("Name") in (None, "", "no"),
        "Runtime": host.get("Runtime", "runc") in policy.runtimes,
        "DeviceRequests": all(asks_for_gpu(request) for request in host.get("DeviceRequests", [])),
        "SecurityOpt": all(HARDENING.fullmatch(option) for option in host.get("SecurityOpt", [])),
    }
    for name, fine in allowed.items():
        if not fine:
            raise Refused(f"HostConfig.{name} {json.dumps(host.get(name))} is not allowed")
    return host | {"CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges"]}


def asks_for_gpu(request: Json) -> bool:
    """Whether a device request is one for GPUs: other drivers could hand out any device of the host."""
    capabilities = request.get("Capabilities") or [[]]
    return request.get("Driver") in (None, "", "nvidia") and all("gpu" in names for names in capabilities)
