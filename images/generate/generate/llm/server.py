"""One try at a server that speaks OpenAI's protocol, and what went wrong in plain words."""

import time
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from contract.failures import BadConfig, Failure, RemoteTrouble
from generate.llm.answer import Answer, read_completion
from generate.llm.question import Question
from generate.llm.waiting import retry_after
from generate.llm.wire import Broken, NoConnection, Reply, Wire

Kind = Literal["rate_limited", "server_error", "timeout", "cut_off", "unreadable", "unreachable", "bad_request"]
TEXT = 2
"""Ways to get JSON, best first: 0 a JSON schema, 1 JSON mode, 2 plain text that is parsed and repaired."""
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
    """The server calls the request malformed. `level` is the way to ask next, or None where none is left."""

    def __init__(self, detail: str, level: int | None) -> None:
        self.detail, self.level = detail, level
        super().__init__(detail)


class ChatServer:
    """A server's chat completions, and what this run has learnt about how it wants to be asked.

    A way that is refused is given up for the whole run as soon as a plainer one is answered: a request may also be
    refused for its own sake.
    """

    def __init__(self, address: str, key: str, timeout: float, connections: int) -> None:
        self.address = address
        self.level = 0
        self._key = key
        self._limit_name = "max_tokens"
        self._wire = Wire(address, key, timeout, connections)

    async def ask(self, question: Question, level: int) -> Answer:
        """Send one HTTP request.

        Raises `Trouble` where another try may help, `Refused` for a malformed request, `BadConfig` for a wrong key,
        model or address, `RemoteTrouble` where the account at the server has no money left.
        """
        try:
            reply = await self._wire.post("/chat/completions", self._body(question, level))
        except TimeoutError:
            raise Trouble("timeout", f"no answer within {self._wire.timeout:g} s", billed=True) from None
        except NoConnection as error:
            raise Trouble("unreachable", f"no connection ({self._clean(str(error))})") from None
        except Broken as error:
            raise Trouble("cut_off", f"the connection broke ({self._clean(str(error))})", billed=True) from None
        if not 200 <= reply.status < 300:
            raise self._status(reply, level)
        try:
            answer = read_completion(reply.body)
        except ValueError as error:
            raise Trouble("unreadable", f"an answer that is no chat completion: {error}", billed=True) from None
        self.level = max(self.level, level)
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    def _body(self, question: Question, level: int) -> dict[str, Any]:
        return {
            "model": question.model,
            "messages": question.wire_messages,
            "temperature": question.temperature,
            "seed": question.seed,
            self._limit_name: question.max_tokens,
            **_response_format(question, level),
        }

    def _status(self, reply: Reply, level: int) -> Exception:
        said = _Said(reply)
        status, detail = reply.status, f"HTTP {reply.status}: {self._clean(said.message)}"
        if status in (401, 403):
            return self._bad_config(f"refused the key ({detail})", "set OPENAI_API_KEY to a key of this server")
        if status == 404:
            return self._bad_config(f"does not know the model or the address ({detail})", "check `model`, `base_url`")
        if status == 402 or (status == 429 and said.kinds & NO_MONEY):
            return self._no_money(detail)
        wait = retry_after(reply.headers, datetime.now(UTC))
        if status == 429:
            return Trouble("rate_limited", detail, wait)
        if status in (408, 409, 425) or (status >= 500 and status != 501):
            return Trouble("server_error", detail, wait)
        return Refused(detail, self._plainer(said, level))

    def _plainer(self, said: "_Said", level: int) -> int | None:
        """How to ask after a refusal. Newer OpenAI models want `max_completion_tokens` and say so."""
        if self._limit_name == "max_tokens" and "max_completion_tokens" in said.message:
            self._limit_name = "max_completion_tokens"
            return level
        return level + 1 if level < TEXT else None

    def _bad_config(self, found: str, hint: str) -> Failure:
        return BadConfig(f"the language model's server {found}", where=self.address, hint=hint)

    def _no_money(self, detail: str) -> Failure:
        hint = "top up the account, then run again: answers so far are kept"
        return RemoteTrouble(f"the account at the server has no money left ({detail})", where=self.address, hint=hint)

    def _clean(self, text: str) -> str:
        """A text on one line, without the key that some servers repeat."""
        return " ".join(text.replace(self._key, "***").split())[:DETAIL_CHARACTERS]


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


def _response_format(question: Question, level: int) -> dict[str, Any]:
    if level == 0:
        schema = {"name": "answer", "strict": True, "schema": question.schema}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {"response_format": {"type": "json_object"}} if level == 1 else {}
