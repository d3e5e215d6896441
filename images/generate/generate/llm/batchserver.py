"""A server that is asked by batches: many questions in one file, answered within a day, often at half the price.

Stands where `ChatServer` does, so that cache, budget, retries and books are the same in both modes. A batch is written
down before it is sent; a process that finds one left by an earlier one waits for it instead of asking again.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from openai.types import Batch

from contract.failures import BadConfig, Failure
from generate.llm.answer import Answer
from generate.llm.batchclient import TAKES_TIME, BatchClient
from generate.llm.batchfiles import replies_of, request_file, unanswered
from generate.llm.batchrecords import Records, Sent
from generate.llm.http1 import Reply
from generate.llm.question import Question
from generate.llm.server import ChatServer, Trouble
from generate.llm.ways import Way

GATHER_SECONDS = 1.0
"""A batch is sent when no question has come for that long, or when it is full."""
Waiting = tuple[Question, Way, "asyncio.Future[Reply]"]


class BatchServer:
    """Chat completions by batches of at most `lines` questions. Raises what `ChatServer.ask` raises."""

    def __init__(
        self, chat: ChatServer, client: BatchClient, records: Records, lines: int, log: logging.Logger
    ) -> None:
        self.chat, self.address, self.ways = chat, chat.address, chat.ways
        self._client, self._records, self._lines, self._log = client, records, lines, log
        self._gathered: list[Waiting] = []
        self._came = asyncio.Event()
        self._there: dict[str, Sent] = {}
        self._answers: dict[str, asyncio.Future[Reply]] = {}
        self._open: dict[str, tuple[Sent, set[str]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = False

    async def ask(self, question: Question, way: Way | None = None) -> Answer:
        """The answer to one question, by the batch it is in already or by the next one."""
        if not self._started:
            self._start()
        sent = self._there.pop(question.key, None)
        if sent:
            reply = await self._answers[question.key]
            return self.chat.read(reply, question, sent.ways[question.key])
        way = way or self.ways.of(question.model)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._gathered.append((question, way, answer))
        self._came.set()
        return self.chat.read(await answer, question, way)

    def kept(self, question: Question) -> None:
        """The answer lies in the cache; a batch of which all do is forgotten."""
        for sent, keys in list(self._open.values()):
            keys.discard(question.key)
            self._forget_if_done(sent)

    async def close(self) -> None:
        """Stop waiting; batches go on at the server, and the next process finds them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()
        await self.chat.close()

    def _start(self) -> None:
        self._started = True
        for sent in self._records.load():
            answers = {key: asyncio.get_running_loop().create_future() for key in sent.ways}
            self._there |= dict.fromkeys(answers, sent)
            self._answers |= answers
            self._log.info("waiting for a batch sent earlier", extra={"fields": {"lines": len(answers)}})
            self._go(self._carry(sent, answers, None))
        self._go(self._gather())

    async def _gather(self) -> None:
        """Send what has come whenever it is enough, or no more comes."""
        while True:
            await self._came.wait()
            number = 0
            while number < len(self._gathered) < self._lines:
                number = len(self._gathered)
                await asyncio.sleep(GATHER_SECONDS)
            self._came.clear()
            taken, self._gathered = self._gathered[: self._lines], self._gathered[self._lines :]
            if self._gathered:
                self._came.set()
            for model in sorted({question.model for question, _, _ in taken}):  # one model per batch
                self._send([one for one in taken if one[0].model == model])

    def _send(self, lines: list[Waiting]) -> None:
        sent = Sent(self.address, {question.key: way for question, way, _ in lines})
        self._records.save(sent)
        data = request_file((question, way) for question, way, _ in lines)
        self._go(self._carry(sent, {question.key: answer for question, _, answer in lines}, data))

    async def _carry(self, sent: Sent, answers: "dict[str, asyncio.Future[Reply]]", data: bytes | None) -> None:
        """Bring one batch to its end and hand out what came; `data` is None for one of an earlier process."""
        self._open[sent.name] = sent, set(answers)
        try:
            batch = await self._batch(sent, data)
            replies = await self._replies(sent, batch) if batch else {}
        except Failure as failure:
            _give(answers, failure)
            return
        status = batch.status if batch else "was never made"
        for key, answer in answers.items():
            reply = replies.get(key) or unanswered(status)
            if isinstance(reply, Trouble) or reply.status != 200:
                self._open[sent.name][1].discard(key)
            _give({key: answer}, reply)
        self._forget_if_done(sent)

    async def _batch(self, sent: Sent, data: bytes | None) -> Batch | None:
        """The batch, ended; None where an earlier process died before the server had it."""
        if data is not None:
            batch: Batch | None = await self._client.send(sent, data)
        else:
            batch = await self._client.get(sent.id) if sent.id else await self._client.find(sent)
        if batch is None:
            return None
        if batch.id != sent.id:
            sent.id = batch.id
            self._records.save(sent)
            self._log.info("batch sent", extra={"fields": {"batch": batch.id, "lines": len(sent.ways)}})
        return await self._client.ended(batch)

    async def _replies(self, sent: Sent, batch: Batch) -> dict[str, Reply | Trouble]:
        counts = batch.request_counts
        fields = {"batch": batch.id, "status": batch.status, "answered": counts.completed if counts else "unknown"}
        self._log.info("batch ended", extra={"fields": fields})
        if batch.status != "failed":
            return replies_of(await self._client.files(batch))
        errors = (batch.errors.data if batch.errors else None) or []
        said = "; ".join(error.message or error.code or "no reason given" for error in errors[:3]) or "no reason given"
        if any(error.code in TAKES_TIME for error in errors):
            return dict.fromkeys(sent.ways, Trouble("rate_limited", f"the batch was refused: {said}"))
        self._records.forget(sent)
        del self._open[sent.name]
        raise BadConfig(f"the language model's server refused the batch: {said}", where=self.address)

    def _forget_if_done(self, sent: Sent) -> None:
        if not self._open[sent.name][1]:
            self._records.forget(sent)
            del self._open[sent.name]

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _give(answers: "dict[str, asyncio.Future[Reply]]", what: Reply | Exception) -> None:
    for answer in answers.values():
        if answer.done():
            continue
        if isinstance(what, Reply):
            answer.set_result(what)
        else:
            answer.set_exception(what)
            answer.exception()  # looked at: nobody may be waiting for a line that an earlier process sent
