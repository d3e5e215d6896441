"""The test server with files and batches: it answers lines as it answers requests, lets some expire, and breaks off."""

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass, field

from llm_server import LlmServer, Seen, _error, _json

FILE = re.compile(rb'name="file"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n(.*?)\r\n--', re.DOTALL)


@dataclass
class BatchBehaviour:
    """How the Batch API behaves: `seconds` until a batch has ended, share of lines that `expire` (by hash, and by how
    often a line has come), how many creations `break` the connection after they have worked, how many times 503 comes
    first, and codes that whole batches are refused with."""

    seconds: float = 0.2
    expire: float = 0
    breaks: int = 0
    down: int = 0
    refused: list[str] = field(default_factory=list)


class BatchLlmServer(LlmServer):
    """`batches` and `files` are its record; each line that it answers is in `seen` as a request is."""

    def __init__(self, *arguments, **named) -> None:
        super().__init__(*arguments, **named)
        self.api = BatchBehaviour()
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict] = {}
        self.looks = 0

    async def _handle(self, target, headers, data, writer) -> None:
        method, _, path = target.partition(" ")
        if path.endswith("/chat/completions"):
            return await super()._handle(target, headers, data, writer)
        if self.behaviour.key and headers.get("authorization") != f"Bearer {self.behaviour.key}":
            return await _json(writer, _nobody(), "", 401, _error("no such key"))
        if self.api.down > 0:
            self.api.down -= 1
            return await _json(writer, _nobody(), "", 503, _error("down"))
        name = path.partition("?")[0].removeprefix("/v1/")
        if method == "POST" and name == "files":
            self.files[f"file-{len(self.files)}"] = FILE.search(data).group(1)
            return await _json(writer, _nobody(), "", 200, _file(f"file-{len(self.files) - 1}"))
        if method == "POST" and name == "batches":
            return await self._create(json.loads(data), writer)
        if name == "batches":
            newest = list(self.batches.values())[::-1]
            return await _json(writer, _nobody(), "", 200, {"object": "list", "data": newest, "has_more": False})
        if name.startswith("batches/"):
            self.looks += 1
            return await _json(writer, _nobody(), "", 200, self.batches[name.removeprefix("batches/")])
        content = self.files[name.removeprefix("files/").removesuffix("/content")]
        writer.write(f"HTTP/1.1 200 X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()

    async def _create(self, asked, writer) -> None:
        name = f"batch-{len(self.batches)}"
        self.batches[name] = batch = {
            "id": name,
            "object": "batch",
            "endpoint": asked["endpoint"],
            "input_file_id": asked["input_file_id"],
            "completion_window": asked["completion_window"],
            "metadata": asked.get("metadata"),
            "status": "in_progress",
            "created_at": 0,
        }
        self._loop.create_task(self._work(batch))
        if self.api.breaks > 0:
            self.api.breaks -= 1
            raise ConnectionError
        await _json(writer, _nobody(), "", 200, batch)

    async def _work(self, batch) -> None:
        await asyncio.sleep(self.api.seconds)
        if self.api.refused:
            code = self.api.refused.pop(0)
            batch |= {
                "status": "failed",
                "errors": {"object": "list", "data": [{"code": code, "message": f"no: {code}"}]},
            }
            return
        out, wrong, expired = [], [], False
        for line in map(json.loads, self.files[batch["input_file_id"]].splitlines()):
            seen, answer = self._line(line["body"])
            expired |= seen.outcome == "expired"
            (out if answer.get("response", {}).get("status_code") == 200 else wrong).append(
                {"id": "x", "custom_id": line["custom_id"], "response": None, "error": None} | answer
            )
        for key, lines in (("output_file_id", out), ("error_file_id", wrong)):
            if lines:
                batch[key] = f"file-{len(self.files)}"
                self.files[batch[key]] = "\n".join(map(json.dumps, lines)).encode()
        batch |= {
            "status": "expired" if expired else "completed",
            "request_counts": {"total": len(out) + len(wrong), "completed": len(out), "failed": len(wrong)},
        }

    def _line(self, body) -> tuple[Seen, dict]:
        """One line's record, and its answer or error."""
        question = hashlib.sha256(json.dumps(body["messages"]).encode()).hexdigest()
        order = self._arrivals[question] = self._arrivals.get(question, 0) + 1
        seen = Seen(question, order, "", body=body)
        self.seen.append(seen)
        if self._draw_at(self.api.expire, f"expire:{question}:{order}"):
            seen.outcome = "expired"
            return seen, {"error": {"code": "batch_expired", "message": "This request could not be executed in time."}}
        if refusal := self._refusal({"authorization": f"Bearer {self.behaviour.key}"}, body):
            seen.outcome, status, error = refusal
            return seen, {"response": {"status_code": status, "body": error}}
        if fault := self._draw("way", f"{question}:{order}", ("rate_limited", "server_error")):
            seen.outcome = fault
            status = {"rate_limited": 429, "server_error": 500}[fault]
            return seen, {"response": {"status_code": status, "body": _error(fault)}}
        completion = self._completion(seen, body)
        seen.delivered = True
        return seen, {"response": {"status_code": 200, "body": completion}}

    def _draw_at(self, share, key) -> bool:
        return int.from_bytes(hashlib.sha256(f"{self.seed}:{key}".encode()).digest()[:8], "big") / 2**64 < share


def _nobody() -> Seen:
    return Seen("", 0, "")


def _file(name) -> dict:
    return {
        "id": name,
        "object": "file",
        "bytes": 0,
        "created_at": 0,
        "filename": "x",
        "purpose": "batch",
        "status": "processed",
    }
