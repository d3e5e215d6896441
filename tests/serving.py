"""Talking to a server of OpenAI's protocol as a client that knows nothing of it: JSON there, status and JSON back."""

import json
import urllib.error
import urllib.request
from typing import Any


def post(url: str, body: Any, **headers: str) -> tuple[int, Any]:
    """Send a body as JSON, or bytes as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} | headers)
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def streamed(url: str, body: Any) -> str:
    """The text of an answer that comes in pieces, put together."""
    data = json.dumps(body | {"stream": True}).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as answer:
        events = [line[6:] for line in answer.read().decode().splitlines() if line.startswith("data: {")]
    return "".join(choice["delta"].get("content") or "" for event in events for choice in json.loads(event)["choices"])
