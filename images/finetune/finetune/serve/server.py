"""OpenAI's chat completions over HTTP, as far as trying a model takes: no streaming, one answer at a time.

| request | answer |
|---|---|
| `POST /v1/chat/completions` | the model's answer, the likeliest unless a temperature is given |
| `POST /tokenize` | the token ids that the model gets for a conversation, as vLLM's server answers it |
| `GET /v1/models`, `GET /health` | the names it answers to; 200 |

It is ours because `transformers serve` needs packages beyond the image's, loads whatever model a client names, and does
not tell which token ids it made of a conversation, which is what has to be compared.
"""

import itertools
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from jinja2.exceptions import TemplateError

from finetune.serve.answering import Served, TooLong
from finetune.serve.chat_request import Refused, read_request

MOST_BYTES = 4_000_000
Body = dict[str, Any]


class UnknownModel(LookupError):
    """A client asked for another model than the one that is served."""


@dataclass
class Endpoint:
    """One served model under its names."""

    served: Served
    names: tuple[str, ...]
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("nocturne"))
    _number: Any = field(default_factory=itertools.count)

    def models(self) -> Body:
        """The names it answers to."""
        return {
            "object": "list",
            "data": [{"id": name, "object": "model", "owned_by": "nocturne"} for name in self.names],
        }

    def complete(self, body: Any) -> Body:
        """One chat completion. Raises `Refused`, `UnknownModel` or `TooLong`."""
        request = read_request(body)
        self._check(request.model)
        answer = self.served.answer(request.conversation, request.sampling)
        self.log.info("answered", extra={"fields": {"prompt": answer.prompt_tokens, "tokens": answer.tokens}})
        usage = {"prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.tokens}
        return {
            "id": f"chatcmpl-{next(self._number)}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": request.model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": answer.text},
                    "finish_reason": "stop" if answer.ended else "length",
                }
            ],
            "usage": usage | {"total_tokens": sum(usage.values())},
        }

    def tokenize(self, body: Any) -> Body:
        """The token ids of a conversation. Raises `Refused` or `UnknownModel`."""
        request = read_request(body)
        self._check(request.model)
        ids = self.served.prompt_ids(request.conversation)
        return {"count": len(ids), "max_model_len": self.served.context, "tokens": ids}

    def _check(self, model: str) -> None:
        if model not in self.names:
            raise UnknownModel(f"no model {model!r}; there is {', '.join(self.names)}")


def make_server(endpoint: Endpoint, host: str, port: int) -> ThreadingHTTPServer:
    """A server that listens and does not answer yet; port 0 takes a free one. Raises `OSError` when it is taken."""
    return ThreadingHTTPServer((host, port), type("Handler", (_Handler,), {"endpoint": endpoint}))


class _Handler(BaseHTTPRequestHandler):
    endpoint: ClassVar[Endpoint]
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that a client may be silent on an open connection

    def do_GET(self) -> None:
        if self.path == "/health":
            return self._send(HTTPStatus.OK, {})
        if self.path == "/v1/models":
            return self._send(HTTPStatus.OK, self.endpoint.models())
        return self._refuse(HTTPStatus.NOT_FOUND, f"nothing at {self.path}")

    def do_POST(self) -> None:
        calls = {"/v1/chat/completions": self.endpoint.complete, "/tokenize": self.endpoint.tokenize}
        if self.path not in calls:
            return self._refuse(HTTPStatus.NOT_FOUND, f"nothing at {self.path}")
        return self._call(calls[self.path])

    def _call(self, call: Callable[[Any], Body]) -> None:
        try:
            return self._send(HTTPStatus.OK, call(self._body()))
        except UnknownModel as error:
            return self._refuse(HTTPStatus.NOT_FOUND, str(error))
        except (Refused, TooLong) as error:
            return self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except TemplateError as error:  # a template may refuse a role, or turns out of order
            return self._refuse(HTTPStatus.BAD_REQUEST, f"the chat template: {error}")

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MOST_BYTES:
            self.close_connection = True
            raise Refused(f"Content-Length is {length or 'missing'}; expected at most {MOST_BYTES:,} bytes")
        try:
            return json.loads(self.rfile.read(int(length)))
        except ValueError:
            raise Refused("the body is not JSON") from None

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._send(status, {"error": {"message": message, "type": "invalid_request_error", "code": int(status)}})

    def _send(self, status: HTTPStatus, body: Body) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """The endpoint logs what it answered; a line for every request would drown it."""
