"""One try at a server that speaks OpenAI's protocol, and what went wrong in plain words."""

import time
from datetime import UTC, datetime
from typing import Literal, Protocol

import orjson

from contract.failures import BadConfig, Failure, RemoteTrouble
from generate.llm.answer import Answer, read_completion
from generate.llm.connections import Broken, NoConnection
from generate.llm.endpoints import ApiKey
from generate.llm.http1 import Reply
from generate.llm.question import Question
from generate.llm.waiting import retry_after
from generate.llm.ways import Way, Ways
from generate.llm.wire import Wire

Kind = Literal[
    "rate_limited", "server_error", "timeout", "cut_off", "unreadable", "unreachable", "bad_request", "expired"
]
DETAIL_CHARACTERS = 300
NO_MONEY = {"insufficient_quota", "billing_hard_limit_reached"}


class Trouble(Exception):
    """A try that brought no answer and may be repeated. `wait` is what the server asked for, in seconds.

    `billed` says that the answer may have been made, and charged for, before it was lost.
    """

    def __init__(self, kind: Kind, detail: str, wait: float | None = None, billed: bool = False) -> None:
        self.kind, self.detail, self.wait, self.billed = kind, detail, wait, billed
        self.at = time.monotonic()
        super().__init__(detail)


class Refused(Exception):
    """The server calls the request malformed. `way` is how to ask next, or None where no other way is left."""

    def __init__(self, detail: str, way: Way | None) -> None:
        self.detail, self.way = detail, way
        super().__init__(detail)


class Server(Protocol):
    """What the engine asks: one request at a time, or many in a batch."""

    ways: Ways

    async def ask(self, question: Question, way: Way | None = None) -> Answer:
        """The answer to one question."""

    def kept(self, question: Question) -> None:
        """The answer to a question lies in the cache now."""

    async def close(self) -> None:
        """Let go of the server."""


class ChatServer:
    """A server's chat completions, and how each of its models wants to be asked.

    A way that is refused is given up for good as soon as a plainer one is answered: a request may also be refused for
    its own sake.
    """

    def __init__(self, address: str, key: ApiKey, timeout: float, connections: int, ways: Ways) -> None:
        self.address, self.ways = address, ways
        self._key = key
        self._wire = Wire(address, key.value, timeout, connections)

    async def ask(self, question: Question, way: Way | None = None) -> Answer:
        """Send one HTTP request, in the way that is known to work unless another is named.

        Raises `Trouble` where another try may help, `Refused` for a malformed request, `BadConfig` for a wrong key,
        model or address, `RemoteTrouble` where the account at the server has no money left.
        """
        way = way or self.ways.of(question.model)
        try:
            reply = await self._wire.post("/chat/completions", way.body(question))
        except TimeoutError:
            raise Trouble("timeout", f"no answer within {self._wire.timeout:g} s", billed=True) from None
        except NoConnection as error:
            raise Trouble("unreachable", f"no connection ({self._clean(str(error))})") from None
        except Broken as error:
            raise Trouble("cut_off", f"the connection broke ({self._clean(str(error))})", billed=True) from None
        return self.read(reply, question, way)

    def read(self, reply: Reply, question: Question, way: Way) -> Answer:
        """The answer in a reply to a question that was asked in this way. Raises what `ask` raises."""
        if not 200 <= reply.status < 300:
            raise self._status(reply, way)
        try:
            answer = read_completion(reply.body)
        except ValueError as error:
            raise Trouble("unreadable", f"an answer that is no chat completion: {error}", billed=True) from None
        self.ways.learn(question.model, way)
        return answer

    def kept(self, question: Question) -> None:
        """Nothing is left to do for an answer that came at once."""

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    def _status(self, reply: Reply, way: Way) -> Exception:
        said = _Said(reply)
        status, detail = reply.status, f"HTTP {reply.status}: {self._clean(said.message)}"
        if status in (401, 403):
            return self._bad_config(f"refused the key ({detail})", self._key.hint)
        if status == 404:
            return self._bad_config(f"does not know the model or the address ({detail})", "check `model`, `base_url`")
        if status == 402 or (status == 429 and said.kinds & NO_MONEY):
            return self._no_money(detail)
        wait = retry_after(reply.headers, datetime.now(UTC))
        if status == 429:
            return Trouble("rate_limited", detail, wait)
        if status in (408, 409, 425) or (status >= 500 and status != 501):
            return Trouble("server_error", detail, wait)
        return Refused(detail, way.after(said.message))

    def _bad_config(self, found: str, hint: str) -> Failure:
        return BadConfig(f"the language model's server {found}", where=self.address, hint=hint)

    def _no_money(self, detail: str) -> Failure:
        hint = "top up the account, then run again: answers so far are kept"
        return RemoteTrouble(f"the account at the server has no money left ({detail})", where=self.address, hint=hint)

    def _clean(self, text: str) -> str:
        """A text on one line, without the key that some servers repeat."""
        return " ".join(text.replace(self._key.value, "***").split())[:DETAIL_CHARACTERS]


class _Said:
    """An error's message and kinds (`type`, `code`), from the shapes in which servers say them."""

    def __init__(self, reply: Reply) -> None:
        self.message, self.kinds = "no reason given", set[str]()
        try:
            value = orjson.loads(reply.body)
        except ValueError:
            return  # a proxy's page of HTML says nothing
        error = value.get("error", value) if isinstance(value, dict) else value
        if isinstance(error, dict):
            self.kinds = {str(error[name]) for name in ("type", "code") if error.get(name)}
            error = error.get("message") or error.get("detail") or error
        self.message = error if isinstance(error, str) else orjson.dumps(error).decode()
