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
