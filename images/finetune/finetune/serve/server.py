"""OpenAI's chat completions over HTTP, as far as trying a model takes: one answer at a time, whole or streamed.

| request | answer |
|---|---|
| `POST /v1/chat/completions` | the model's answer, the likeliest unless a temperature is given |
| `POST /tokenize` | the token ids that the model gets for a conversation, as vLLM's server answers it |
| `GET /v1/models`, `GET /health` | the names it answers to; 200 |

It is ours because `transformers serve` needs packages beyond the image's, loads whatever model a client names, and does
not tell which token ids it made of a conversation, which is what has to be compared.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from jinja2.exceptions import TemplateError

from finetune.serve.answering import Answer, Served, TooLong
from finetune.serve.chat_request import ChatRequest, Refused, read_request
from finetune.serve.completion import Body, Completion, Stream

MOST_BYTES = 4_000_000
"""Largest body of a request: more than any context holds as text."""
MOST_WAITING = 64
"""Requests that may be here at once, each with its body in memory; the next one is told to come again."""
LINGER_SECONDS = 10.0
"""How long to listen on to a body that is refused: a client that is cut off while it sends never reads why."""
PIECE = 65_536
Send = Callable[[Body], None]


class UnknownModel(LookupError):
    """A client asked for another model than the one that is served."""


@dataclass
class Endpoint:
    """One served model under its names."""

    served: Served
    names: tuple[str, ...]
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("nocturne"))
    room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MOST_WAITING))

    def models(self) -> Body:
        """The names it answers to."""
        return {
            "object": "list",
            "data": [{"id": name, "object": "model", "owned_by": "nocturne"} for name in self.names],
        }

    def complete(self, request: ChatRequest, send: Send) -> Body | None:
        """One chat completion: returned, or where the client wants a stream, sent in chunks. Raises `TooLong`."""
        completion = Completion(request.model)
        if not request.stream:
            return completion.whole(self._answer(request, None))
        stream = Stream(completion, send)
        stream.close(self._answer(request, stream.say), request.stream_options.include_usage)
        return None

    def tokenize(self, request: ChatRequest, _: Send) -> Body:
        """The token ids of a conversation."""
        ids = self.served.prompt_ids(request.conversation)
        return {"count": len(ids), "max_model_len": self.served.context, "tokens": ids}

    def read(self, body: Any) -> ChatRequest:
        """A parsed body as a request for the model that is served. Raises `Refused` or `UnknownModel`."""
        request = read_request(body)
        if request.model not in self.names:
            raise UnknownModel(f"no model {request.model!r}; there is {', '.join(self.names)}")
        return request

    def _answer(self, request: ChatRequest, say: Callable[[str], None] | None) -> Answer:
        answer = self.served.answer(request.conversation, request.sampling, say)
        self.log.info("answered", extra={"fields": {"prompt": answer.prompt_tokens, "tokens": answer.tokens}})
        return answer


class Server(ThreadingHTTPServer):
    """Listens; a client that goes away is no error of ours."""

    request_queue_size = 2 * MOST_WAITING
    """Connections that the system holds for us; with the usual five, clients that come at once are cut off."""

    def __init__(self, endpoint: Endpoint, host: str, port: int) -> None:
        self.log = endpoint.log
        super().__init__((host, port), type("Handler", (_Handler,), {"endpoint": endpoint}))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What a request's thread raised."""
        if isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            self.log.info("a client went away before its answer was there")
        else:
            self.log.exception("a request failed")


def make_server(endpoint: Endpoint, host: str, port: int) -> Server:
    """A server that listens and does not answer yet; port 0 takes a free one. Raises `OSError` when it is taken."""
    return Server(endpoint, host, port)


class _Handler(BaseHTTPRequestHandler):
    endpoint: ClassVar[Endpoint]
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that a client may be silent on an open connection
    streaming = False

    def do_GET(self) -> None:
        if self.path == "/health":
            return self._send(HTTPStatus.OK, {})
        if self.path == "/v1/models":
            return self._send(HTTPStatus.OK, self.endpoint.models())
        return self._refuse(HTTPStatus.NOT_FOUND, f"nothing at {self.path}")

    def do_POST(self) -> None:
        calls = {"/v1/chat/completions": self.endpoint.complete, "/tokenize": self.endpoint.tokenize}
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            message = f"Content-Length is {length or 'missing'}; expected at most {MOST_BYTES:,} bytes"
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length else HTTPStatus.LENGTH_REQUIRED, message)
            return self._listen_on(int(length) if length.isdigit() else 0)
        if not self.endpoint.room.acquire(blocking=False):
            self.close_connection = True
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST_WAITING} requests wait already", "server_error")
            return self._listen_on(int(length))
        try:
            body = self.rfile.read(int(length))
            if self.path not in calls:
                return self._refuse(HTTPStatus.NOT_FOUND, f"nothing at {self.path}")
            return self._call(calls[self.path], body)
        finally:
            self.endpoint.room.release()

    def _call(self, call: Callable[[ChatRequest, Send], Body | None], data: bytes) -> None:
        try:
            answer = call(self.endpoint.read(_parsed(data)), self._send_chunk)
        except UnknownModel as error:
            return self._refuse(HTTPStatus.NOT_FOUND, str(error), code="model_not_found")
        except (Refused, TooLong) as error:
            return self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except TemplateError as error:  # a template may refuse a role, or turns out of order
            return self._refuse(HTTPStatus.BAD_REQUEST, f"the chat template: {error}")
        if answer is not None:
            return self._send(HTTPStatus.OK, answer)
        self.wfile.write(b"data: [DONE]\n\n")
        return None

    def _send_chunk(self, body: Body) -> None:
        """One server-sent event; the first one after the head. The end of the connection ends the stream."""
        if not self.streaming:
            self.streaming = self.close_connection = True
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Cache-Control", "no-cache")
            self.send_header("Connection", "close")
            self.end_headers()
        self.wfile.write(b"data: " + _bytes(body) + b"\n\n")

    def _refuse(self, status: HTTPStatus, message: str, kind: str = "invalid_request_error", code: str = "") -> None:
        error = {"message": message, "type": kind, "param": None, "code": code or None}
        self._send(status, {"error": error})

    def _send(self, status: HTTPStatus, body: Body) -> None:
        data = _bytes(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def _listen_on(self, length: int) -> None:
        """Read what still comes, and keep none of it."""
        until = time.monotonic() + LINGER_SECONDS
        self.connection.settimeout(LINGER_SECONDS)
        while length > 0 and time.monotonic() < until and (read := len(self.rfile.read(min(length, PIECE)))):
            length -= read

    def log_message(self, *_: object) -> None:
        """The endpoint logs what it answered; a line for every request would drown it."""


def _parsed(data: bytes) -> Any:
    try:
        body = json.loads(data)
        _bytes(body)  # JSON can escape half a surrogate pair, which is no text: no tokenizer and no answer can hold it
    except (ValueError, RecursionError):
        raise Refused("the body is not JSON, or no Unicode, or nested too deeply") from None
    return body


def _bytes(body: Body) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
