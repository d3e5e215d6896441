"""Secrets of the stages, resolved when a task runs: never at parse time, never templated, never an argument.

Each comes from the environment of the worker, or else from an Airflow Connection:

| connection | fields | gives |
|---|---|---|
| `nocturne_s3` | login, password, host as `http://s3:9000` or extra `endpoint`, extra `region` | `NOCTURNE_S3_*` |
| `nocturne_llm` | password, host | `OPENAI_API_KEY`, `OPENAI_BASE_URL` |
| `nocturne_llm_<name>` | password | the variable of that name, where the config says `key: NAME` |
| `nocturne_hub` | password | `HF_TOKEN` |

A stage gets only what its image can use, and every value is masked in Airflow's logs.
"""

import os
from collections.abc import Iterable

from airflow.sdk import BaseHook, Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from contract.config.base import StageConfig
from contract.config.llm import key_names

S3_NAMES = ("NOCTURNE_S3_ENDPOINT", "NOCTURNE_S3_ACCESS_KEY", "NOCTURNE_S3_SECRET_KEY", "NOCTURNE_S3_REGION")
LLM_NAMES = ("OPENAI_API_KEY", "OPENAI_BASE_URL")
LLM_CONNECTION = "nocturne_llm"
HUB_NAMES = ("HF_TOKEN",)
NAMES_OF_IMAGE = {"curate": S3_NAMES + HUB_NAMES, "generate": S3_NAMES + LLM_NAMES, "finetune": S3_NAMES + HUB_NAMES}
PUBLIC = {"NOCTURNE_S3_ENDPOINT", "NOCTURNE_S3_REGION", "OPENAI_BASE_URL"}
CONNECTIONS = {"nocturne_s3": S3_NAMES, "nocturne_llm": LLM_NAMES, "nocturne_hub": HUB_NAMES}


def secrets_for(image: str, config: StageConfig) -> dict[str, str]:
    """The secret environment of a stage of this image with this config, masked in logs from now on."""
    return resolve_secrets(NAMES_OF_IMAGE[image]) | _keys_of_servers(key_names(config) - set(LLM_NAMES))


def resolve_secrets(names: Iterable[str]) -> dict[str, str]:
    """Values of these variables from the environment, then from the connections; what neither has is left out."""
    found = {name: os.environ[name] for name in names if os.environ.get(name)}
    for connection, gives in CONNECTIONS.items():
        wanted = [name for name in gives if name in names]
        if wanted and not found.keys() & wanted:
            found |= {name: value for name, value in _from_connection(connection).items() if name in wanted}
    for name in found.keys() - PUBLIC:
        mask_secret(found[name])
    return found


def _keys_of_servers(names: Iterable[str]) -> dict[str, str]:
    """The keys that a config asks for by name; the worker's environment first, then a connection for each."""
    found = {}
    for name in names:
        value = os.environ.get(name) or _from_connection(f"{LLM_CONNECTION}_{name.lower()}").get(name)
        if value:
            mask_secret(value)
            found[name] = value
    return found


def _from_connection(name: str) -> dict[str, str]:
    try:
        connection = BaseHook.get_connection(name)
    except AirflowNotFoundException:
        return {}
    return {key: value for key, value in _fields(name, connection).items() if value}


def _fields(name: str, connection: Connection) -> dict[str, str | None]:
    if name == "nocturne_s3":
        extra = connection.extra_dejson
        endpoint = extra.get("endpoint") or connection.host
        values = (endpoint, connection.login, connection.password, extra.get("region"))
        return dict(zip(S3_NAMES, values, strict=True))
    if name == "nocturne_llm":
        return dict(zip(LLM_NAMES, (connection.password, connection.host), strict=True))
    if name.startswith(f"{LLM_CONNECTION}_"):
        return {name.removeprefix(f"{LLM_CONNECTION}_").upper(): connection.password}
    return {"HF_TOKEN": connection.password}
