"""A real HTTP server that speaks OpenAI's chat protocol, answers from its extract, and misbehaves on request.

Faults are drawn by hash, never by clock: what an answer says (malformed, refusal, short, cut at the limit) depends on
the request alone, as if the model were deterministic; what happens on the way (429, 5xx, cut-off) on the request and
on how often it has come. The server counts its own tokens and keeps a record of every request.
"""

import asyncio
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from time import monotonic, time

TOKEN = re.compile(r" ?[^\W\d]{1,7}|\d{1,3}|[^\w\s]|_|\n+|\s{2,}")


@dataclass(frozen=True)
class Behaviour:
    """Shares (0 to 1) of what goes wrong, and what the server can do."""

    rate_limited: float = 0
    server_error: float = 0
    cut_off: float = 0
    malformed: float = 0
    refusal: float = 0
    short: float = 0
    length: float = 0
    latency: float = 0
    formats: tuple[str, ...] = ("json_schema", "json_object")
    retry_after: tuple[str, ...] = ("", "1", "date")
    key: str = ""
    usage: bool = True
    like_a_tokenizer: bool = False
    """Tokens are short words, pieces of long ones, up to three digits, and signs; else one for four characters."""
    prose: bool = False
    """Every answer is in the wrong shape."""
    wrong_from: int = 0
    """From the request of that number on (0: never) every answer is."""
    max_completion_tokens: bool = False
    refused_fields: tuple[str, ...] = ()
    """Fields of a request that are told to be unknown, one at a time."""
    max_length: int = 0
    """Longest last message (characters) that is no malformed request; 0 means any."""
    refuse_nth: int = 0
    """The number of the one request that is told at once that its key is wrong."""
    always_limited: str = ""
    """The one question that gets nothing but 429."""
    dies_after: int = 0
    """From that many answers on, every connection is closed without a word."""
    status: int = 200
    """Anything but 200 is the answer to every request."""
    error: dict = field(default_factory=dict)


@dataclass
class Seen:
    """One request and what became of it."""

    question: str
    order: int
    outcome: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    delivered: bool = False
    body: dict = field(default_factory=dict)
    headers: dict = field(default_factory=dict)
    at: float = field(default_factory=monotonic)


class LlmServer:
    """Runs in a thread of the test; `seen` is its record."""

    def __init__(self, behaviour: Behaviour = Behaviour(), seed: int = 0) -> None:
        self.behaviour, self.seed = behaviour, seed
        self.seen: list[Seen] = []
        self.under_way = self.most_under_way = 0
        self._arrivals: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "LlmServer":
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._call(self._end_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def behave(self, **changes) -> None:
        self.behaviour = replace(self.behaviour, **changes)

    def forget(self) -> list[Seen]:
        """Clear the record and return it."""
        seen, self.seen = self.seen, []
        return seen

    def answered(self) -> list[Seen]:
        return [request for request in self.seen if request.delivered]

    def tokens(self) -> tuple[int, int]:
        """Prompt and completion tokens of the answers delivered."""
        return sum(r.prompt_tokens for r in self.answered()), sum(r.completion_tokens for r in self.answered())

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _end_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader, writer) -> None:
        try:
            while True:
                await self._handle(*await _read_request(reader), writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _handle(self, target, headers, data, writer) -> None:
        """Answer one request; `target` is its method and path."""
        await self._reply(headers, json.loads(data), writer)

    async def _reply(self, headers, body, writer) -> None:
        question = hashlib.sha256(json.dumps(body["messages"]).encode()).hexdigest()
        order = self._arrivals[question] = self._arrivals.get(question, 0) + 1
        seen = Seen(question, order, "", body=body, headers=headers)
        self.seen.append(seen)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if len(self.seen) == self.behaviour.refuse_nth:
                return await _json(writer, seen, "unauthorised", 401, _error("no such key"))
            await asyncio.sleep(self.behaviour.latency)
            await self._send(seen, headers, body, writer)
        finally:
            self.under_way -= 1

    async def _send(self, seen, headers, body, writer) -> None:
        behaviour = self.behaviour
        if refusal := self._refusal(headers, body):
            return await _json(writer, seen, *refusal)
        if 0 < behaviour.dies_after <= len(self.answered()):
            raise ConnectionError
        if seen.question == behaviour.always_limited:
            return await self._fault("rate_limited", seen, body, writer)
        if fault := self._draw("way", f"{seen.question}:{seen.order}", ("rate_limited", "server_error", "cut_off")):
            return await self._fault(fault, seen, body, writer)
        await self._answer(seen, body, writer)

    def _refusal(self, headers, body):
        """Outcome, status and body where this server takes no such request at all."""
        behaviour = self.behaviour
        if behaviour.key and headers.get("authorization") != f"Bearer {behaviour.key}":
            key = headers.get("authorization", "").removeprefix("Bearer ")
            return "unauthorised", 401, _error(f"Incorrect API key provided: {key}")
        if behaviour.status != 200:
            return "status", behaviour.status, _error("no", **behaviour.error)
        wanted = body.get("response_format", {}).get("type")
        if wanted and wanted not in behaviour.formats:
            return "format", 400, _error(f"response_format {wanted} is not supported")
        if behaviour.max_completion_tokens and "max_tokens" in body:
            return "limit", 400, _error("use 'max_completion_tokens' instead")
        if unknown := next((name for name in behaviour.refused_fields if name in body), None):
            return "field", 422, {"detail": [{"loc": ["body", unknown], "msg": "unknown"}]}
        if 0 < behaviour.max_length < len(body["messages"][-1]["content"]):
            return "length", 400, _error("the prompt is longer than the context")
        return None

    async def _fault(self, fault, seen, body, writer) -> None:
        seen.outcome = fault
        if fault == "rate_limited":
            choice = self.behaviour.retry_after[_hash(f"{seen.question}{seen.order}") % len(self.behaviour.retry_after)]
            value = formatdate(time() + 1, usegmt=True) if choice == "date" else choice
            extra = {"Retry-After": value} if value else {}
            await _json(writer, seen, fault, 429, _error("slow down", code="rate_limit_exceeded"), extra)
        elif fault == "server_error":
            await _json(writer, seen, fault, (500, 502, 503)[seen.order % 3], _error("oops"))
        else:
            data = json.dumps(self._completion(seen, body)).encode()
            seen.outcome = fault
            writer.write(_head(200, len(data), {}) + data[: len(data) // 2])
            await writer.drain()
            raise ConnectionError

    async def _answer(self, seen, body, writer) -> None:
        completion = self._completion(seen, body)
        await _json(writer, seen, seen.outcome, 200, completion)
        seen.delivered = True

    def _completion(self, seen, body) -> dict:
        what = self._draw("said", seen.question, ("malformed", "refusal", "short", "length")) or "good"
        behaviour = self.behaviour
        wrong = behaviour.prose or 0 < behaviour.wrong_from <= len(self.seen)
        text, finish = self._text("prose" if wrong else what, body), "stop"
        if what == "length":
            text, finish = text[: len(text) * 2 // 3], "length"
        seen.outcome = "wrong_shape" if wrong else what
        seen.prompt_tokens = sum(self._tokens(m["content"]) + 3 for m in body["messages"])
        seen.completion_tokens = self._tokens(text) + 1
        message = {"role": "assistant", "content": text, "refusal": None}
        usage = {"prompt_tokens": seen.prompt_tokens, "completion_tokens": seen.completion_tokens}
        usage["total_tokens"] = sum(usage.values())
        completion = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        }
        return completion | ({"usage": usage} if self.behaviour.usage else {})

    def _tokens(self, text) -> int:
        return len(TOKEN.findall(text)) if self.behaviour.like_a_tokenizer else len(text) // 4

    def _text(self, what, body) -> str:
        if what == "prose":
            return "Of course! Here is what I think about it, in my own words."
        if what == "refusal":
            return "I'm sorry, but I can't help with that."
        extract = re.search(r"-{8}\n(.*)\n-{8}", body["messages"][1]["content"], re.DOTALL).group(1)
        count = int(re.search(r"Write (\d+)", body["messages"][-1]["content"]).group(1)) - (what == "short")
        sentences = [s.strip() for s in re.split(r"(?<=[.?!])\s+", extract) if len(s) > 20] or [extract]
        salt = hashlib.sha256(json.dumps(body["messages"]).encode()).hexdigest()[:6]
        pairs = [
            {"instruction": f"Explain ({salt}-{i}): {sentence[:60]}", "answer": f"In other words: {sentence}"}
            for i, sentence in enumerate((sentences * count)[:count])
        ]
        text = json.dumps({"pairs": pairs})
        return text.replace('"answer": ', '"answer" ', 1)[:-2] if what == "malformed" else text

    def _draw(self, what, key, kinds) -> str | None:
        point = _hash(f"{self.seed}:{what}:{key}") / 2**64
        for kind in kinds:
            point -= getattr(self.behaviour, kind)
            if point < 0:
                return kind
        return None


def _hash(text) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _error(message, **more) -> dict:
    return {"error": {"message": message, "type": "error", **more}}


async def _read_request(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    target = head[0].rpartition(" ")[0]
    return target, headers, await reader.readexactly(int(headers.get("content-length", 0)))


async def _json(writer, seen, outcome, status, value, extra=None) -> None:
    seen.outcome = outcome
    data = json.dumps(value).encode()
    writer.write(_head(status, len(data), extra or {}) + data)
    await writer.drain()


def _head(status, length, extra) -> bytes:
    lines = {"Content-Type": "application/json", "Content-Length": str(length)} | extra
    return (f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n").encode()
