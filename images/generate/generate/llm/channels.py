"""A channel to each server that a stage asks, by request or by batch."""

import logging
from collections.abc import Callable, Iterable

from contract.config.llm import Endpoint, LlmConfig
from generate.llm.endpoints import ApiKey
from generate.llm.engine import Channel
from generate.llm.health import Health
from generate.llm.question import server_name
from generate.llm.server import ChatServer, Server
from generate.llm.slots import Slots
from generate.llm.ways import Ways
from stagekit.store import Store

Cache = Callable[[str], Store]
"""The store of what outlives a run, by name."""


def open_channels(
    config: LlmConfig, endpoints: Iterable[Endpoint], keys: dict[str, ApiKey], cache: Cache, log: logging.Logger
) -> dict[str, Channel]:
    """Channels by server. In batch mode as many requests are under way as a batch has lines, and nobody is impatient:
    a server that works on batches answers nothing for hours."""
    batch = config.transport == "batch"
    slots = config.batch_lines if batch else config.concurrency
    patience = float("inf") if batch else config.patience
    channels = {}
    for server in sorted({server_name(one.base_url) for one in endpoints}):
        chat = ChatServer(server, keys[server], config.timeout, config.concurrency, Ways(server, cache("servers")))
        asked: Server = _batched(chat, config, keys[server], cache, log) if batch else chat
        channels[server] = Channel(asked, Slots(slots), Health(server, patience))
    return channels


def _batched(chat: ChatServer, config: LlmConfig, key: ApiKey, cache: Cache, log: logging.Logger) -> Server:
    from generate.llm.batchclient import BatchClient, Pace  # the client takes 0.6 s to import
    from generate.llm.batchrecords import Records
    from generate.llm.batchserver import BatchServer

    client = BatchClient(chat.address, key, Pace(config.batch_poll, config.timeout, config.patience))
    return BatchServer(chat, client, Records(chat.address, cache("batches")), config.batch_lines, log)
