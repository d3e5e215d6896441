"""One try at a server that speaks OpenAI's protocol, through the real client, and what went wrong in plain words."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Any, Literal

import httpx2
import openai

from contract.failures import BadConfig, Failure, RemoteTrouble
from generate.llm.answer import Answer, read_completion
from generate.llm.question import Question
from generate.llm.waiting import retry_after

Kind = Literal["rate_limited", "server_error", "timeout", "cut_off", "unreadable", "unreachable", "bad_request"]
TEXT = 2
"""Ways to get JSON, best first: 0 a JSON schema, 1 JSON mode, 2 plain text that is parsed and repaired."""
CONNECT_SECONDS = 10.0
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
        self.address, self.timeout = address, timeout
        self.level = 0
        self._key = key
        self._limit_name = "max_tokens"
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        times = httpx2.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS), pool=None)
        self._http = openai.DefaultAsyncHttpxClient(limits=limits, timeout=times)
        self._client = openai.AsyncOpenAI(api_key=key, base_url=address, max_retries=0, http_client=self._http)

    async def ask(self, question: Question, level: int) -> Answer:
        """Send one HTTP request.

        Raises `Trouble` where another try may help, `Refused` for a malformed request, `BadConfig` for a wrong key,
        model or address, `RemoteTrouble` where the account at the server has no money left.
        """
        try:
            async with asyncio.timeout(self.timeout):
                body = await self._post(question, level)
        except TimeoutError:
            raise Trouble("timeout", f"no answer within {self.timeout:g} s", billed=True) from None
        except openai.APIStatusError as error:
            raise self._status(error, level) from None
        except openai.APIConnectionError as error:
            raise self._connection(error) from None
        try:
            answer = read_completion(body)
        except ValueError as error:
            raise Trouble("unreadable", f"an answer that is no chat completion: {error}", billed=True) from None
        self.level = max(self.level, level)
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _post(self, question: Question, level: int) -> bytes:
        """The client's own POST: its `chat.completions.create` spends a quarter of the CPU on rewriting the schema."""
        body = {
            "model": question.model,
            "messages": question.wire_messages,
            "temperature": question.temperature,
            "seed": question.seed,
            self._limit_name: question.max_tokens,
            **_response_format(question, level),
        }
        response = await self._client.post("/chat/completions", body=body, cast_to=httpx2.Response)
        return bytes(response.content)

    def _status(self, error: openai.APIStatusError, level: int) -> Exception:
        status, detail = error.status_code, f"HTTP {error.status_code}: {self._clean(error)}"
        if status in (401, 403):
            return self._bad_config(f"refused the key ({detail})", "set OPENAI_API_KEY to a key of this server")
        if status == 404:
            return self._bad_config(f"does not know the model or the address ({detail})", "check `model`, `base_url`")
        if status == 402 or (status == 429 and (error.code in NO_MONEY or error.type in NO_MONEY)):
            return self._no_money(detail)
        wait = retry_after(error.response.headers, datetime.now(UTC))
        if status == 429:
            return Trouble("rate_limited", detail, wait)
        if status in (408, 409, 425) or (status >= 500 and status != 501):
            return Trouble("server_error", detail, wait)
        return Refused(detail, self._plainer(error, level))

    def _plainer(self, error: openai.APIStatusError, level: int) -> int | None:
        """How to ask after a refusal. Newer OpenAI models want `max_completion_tokens` and say so."""
        if self._limit_name == "max_tokens" and "max_completion_tokens" in str(error.message):
            self._limit_name = "max_completion_tokens"
            return level
        return level + 1 if level < TEXT else None

    def _connection(self, error: openai.APIConnectionError) -> Trouble:
        cause = error.__cause__
        what = self._clean(cause or error)
        if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol):
            return Trouble("unreachable", f"no connection ({what})")
        if isinstance(error, openai.APITimeoutError):
            return Trouble("timeout", f"no answer within {self.timeout:g} s", billed=True)
        return Trouble("cut_off", f"the connection broke ({what})", billed=True)

    def _bad_config(self, found: str, hint: str) -> Failure:
        return BadConfig(f"the language model's server {found}", where=self.address, hint=hint)

    def _no_money(self, detail: str) -> Failure:
        hint = "top up the account, then run again: answers so far are kept"
        return RemoteTrouble(f"the account at the server has no money left ({detail})", where=self.address, hint=hint)

    def _clean(self, error: BaseException) -> str:
        """An error's text on one line, without the key that some servers repeat."""
        text = error.message if isinstance(error, openai.APIError) else str(error) or type(error).__name__
        if isinstance(error, openai.APIStatusError):
            text = _said(error)
        return " ".join(text.replace(self._key, "***").split())[:DETAIL_CHARACTERS]


def _said(error: openai.APIStatusError) -> str:
    body = error.body
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        return str(body["message"])
    return error.response.reason_phrase or "no reason given" if isinstance(body, str) else str(error.message)


def _response_format(question: Question, level: int) -> dict[str, Any]:
    if level == 0:
        schema = {"name": "answer", "strict": True, "schema": question.schema}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    return {"response_format": {"type": "json_object"}} if level == 1 else {}
