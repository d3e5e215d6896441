"""The files of a batch: requests as lines, answers as lines, and what became of each."""

from collections.abc import Iterable, Mapping

import orjson

from generate.llm.http1 import Reply
from generate.llm.question import Question
from generate.llm.server import Trouble
from generate.llm.ways import Way
from generate.llm.wire import encoded

ENDPOINT = "/v1/chat/completions"


def request_file(lines: Iterable[tuple[Question, Way]]) -> bytes:
    """The input file: a line for each question, by its key."""
    return b"\n".join(
        encoded({"custom_id": question.key, "method": "POST", "url": ENDPOINT, "body": way.body(question)})
        for question, way in lines
    )


def replies_of(files: Iterable[bytes]) -> dict[str, Reply | Trouble]:
    """What the output and error files say of each line, by key; a line that is not JSON says nothing."""
    found: dict[str, Reply | Trouble] = {}
    for line in (line for data in files for line in data.splitlines() if line.strip()):
        try:
            value = orjson.loads(line)
            found[value["custom_id"]] = _reply(value)
        except (ValueError, KeyError, TypeError):
            continue
    return found


def unanswered(status: str) -> Trouble:
    """What became of a line that is in neither file of a batch that ended so."""
    return Trouble("expired", f"its batch {status} before it was answered")


def _reply(line: Mapping[str, object]) -> Reply | Trouble:
    response, error = line.get("response"), line.get("error")
    if isinstance(response, dict) and isinstance(response.get("status_code"), int):
        return Reply(response["status_code"], {}, orjson.dumps(response.get("body")))
    words = error.get("message") or error.get("code") if isinstance(error, dict) else None
    return Trouble("expired", f"its batch gave no answer ({words or 'no reason given'})")
