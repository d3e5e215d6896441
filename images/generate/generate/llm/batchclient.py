"""OpenAI's Batch API by the openai client: one call at a time, repeated while the server is in trouble."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import openai
from openai.types import Batch

from contract.failures import BadConfig, RemoteTrouble
from generate.llm.batchrecords import Sent
from generate.llm.endpoints import ApiKey

R = TypeVar("R")
TAG = "nocturne"
"""Metadata under which a batch carries its name: after a broken connection nobody knows whether it was made."""
LOOKED_AT = 1_000
"""Batches that are searched for the name, newest first."""
RETRIED = (408, 409, 425, 429)
TAKES_TIME = ("token_limit_exceeded", "batch_limit_exceeded")


@dataclass(frozen=True)
class Pace:
    """Seconds: between looks at a batch, for one call, and for which nothing but trouble is borne."""

    poll: float
    timeout: float
    patience: float


class BatchClient:
    """Files and batches at one server.

    Raises `BadConfig` where the server has no such API or refuses the key, `RemoteTrouble` after `patience` seconds of
    nothing but trouble.
    """

    def __init__(self, server: str, key: ApiKey, pace: Pace) -> None:
        self.server, self.pace = server, pace
        self._client = openai.AsyncOpenAI(api_key=key.value, base_url=server, max_retries=0, timeout=pace.timeout)
        self._key = key

    async def send(self, sent: Sent, data: bytes) -> Batch:
        """Upload the requests and make the batch; one of that name that is there already is taken instead."""

        async def once() -> Batch:
            if found := await self._find(sent.name):
                return found
            file = await self._client.files.create(file=(f"{sent.name}.jsonl", data), purpose="batch")
            return await self._client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={TAG: sent.name},
            )

        return await self._patiently(once)

    async def find(self, sent: Sent) -> Batch | None:
        """A batch by its name, or None where the server never had it."""
        return await self._patiently(partial(self._find, sent.name))

    async def ended(self, batch: Batch) -> Batch:
        """Wait until a batch has ended, one way or another."""
        while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
            await asyncio.sleep(self.pace.poll)
            batch = await self.get(batch.id)
        return batch

    async def get(self, name: str) -> Batch:
        """A batch by its id."""
        return await self._patiently(partial(self._client.batches.retrieve, name))

    async def files(self, batch: Batch) -> list[bytes]:
        """The contents of its output and error files."""
        names = [name for name in (batch.output_file_id, batch.error_file_id) if name]
        return [(await self._patiently(partial(self._client.files.content, name))).content for name in names]

    async def close(self) -> None:
        """Close the connections; batches stay where they are."""
        await self._client.close()

    async def _find(self, name: str) -> Batch | None:
        number = 0
        async for batch in self._client.batches.list(limit=100):
            number += 1
            if batch.metadata and batch.metadata.get(TAG) == name:
                return batch
            if number >= LOOKED_AT:
                break
        return None

    async def _patiently(self, call: Callable[[], Awaitable[R]]) -> R:
        started = time.monotonic()
        while True:
            try:
                return await call()
            except openai.APIStatusError as error:
                if error.status_code not in RETRIED and error.status_code < 500:
                    raise self._refused(error) from None
                what = f"HTTP {error.status_code}"
            except openai.APIConnectionError as error:
                what = type(error.__cause__ or error).__name__
            if time.monotonic() - started > self.pace.patience:
                raise RemoteTrouble(
                    f"the language model's server takes no batches ({what} for {self.pace.patience:g} s)",
                    where=self.server,
                    hint="run again later: batches that were sent are found again, and are not paid twice",
                )
            await asyncio.sleep(self.pace.poll)

    def _refused(self, error: openai.APIStatusError) -> BadConfig:
        said = " ".join(str(error.message).replace(self._key.value, "***").split())[:300]
        return BadConfig(
            f"the language model's server refused a batch (HTTP {error.status_code}: {said})",
            where=self.server,
            hint=f"check {self._key.name}, or use `transport: live`: few servers but OpenAI's own have a Batch API",
        )
