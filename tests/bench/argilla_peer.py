"""Argilla's own client reads a review's folder; run by `check_argilla.py` in a Python that has it.

Behind it stands a server that keeps what it is sent and answers as Argilla's API does: the client is the real one. In
the end all records are written as `records.to_json` writes them, with an answer by one user.
"""

import json
import sys
import threading
import uuid
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MOMENT = "2026-01-01T00:00:00"
USER = str(uuid.UUID(int=7))
WORKSPACE = {"id": str(uuid.UUID(int=1)), "name": "reviews", "inserted_at": MOMENT, "updated_at": MOMENT}


class Kept(BaseHTTPRequestHandler):
    """Answers each request with what it was sent, under a new id."""

    sent: list[tuple[str, Any]] = []
    made: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.endswith("/me"):
            self._say({"id": USER, "username": "ann", "role": "owner", "first_name": "Ann"})
        elif path.endswith("/workspaces"):
            self._say({"items": [WORKSPACE]})
        elif "/workspaces/" in path:
            self._say(WORKSPACE)
        elif path.count("/") == 4 and "/datasets/" in path:
            self._say(self.made["datasets"][0] | {"status": "ready"})
        else:
            self._say({"items": self.made[path.rpartition("/")[2]]})

    def do_POST(self) -> None:
        self._take()

    do_PUT = do_PATCH = do_POST

    def _take(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        self.sent.append((self.path, body))
        stamps = {"inserted_at": MOMENT, "updated_at": MOMENT}
        if "items" in body:
            records = [{"id": str(uuid.uuid4()), "status": "pending", **stamps, **item} for item in body["items"]]
            self._say({"items": records, "updated_item_ids": []})
        elif self.path.endswith("/publish"):
            self._say(self.made["datasets"][0] | {"status": "ready"})
        else:
            made = {**body, "id": str(uuid.uuid4()), **stamps}
            self.made[self.path.rpartition("/")[2]].append(made)
            self._say(made)

    def _say(self, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def main() -> None:
    """`argilla_peer.py FOLDER BACK`: read a folder, write the records with answers to a file."""
    import argilla
    from argilla.records._io._json import JsonIO

    folder, back = Path(sys.argv[1]), Path(sys.argv[2])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kept)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = argilla.Argilla(api_url=f"http://127.0.0.1:{server.server_port}", api_key="none")
    dataset = argilla.Dataset.from_disk(str(folder), workspace="reviews", client=client)
    posted = [path.rpartition("/")[2] for path, _ in Kept.sent]
    records = JsonIO._records_from_json(folder / "records.json")
    for record in records:
        for question, value in (("verdict", "edit"), ("edited_answer", "A better answer.")):
            record.responses.add(argilla.Response(question, value, user_id=uuid.UUID(USER), status="submitted"))
    JsonIO.to_json(records, back)
    uploaded = sum(len(body["items"]) for _, body in Kept.sent if "items" in body)
    questions = [question.name for question in dataset.settings.questions]
    sys.stdout.write(json.dumps({"posted": posted, "questions": questions, "uploaded": uploaded}) + "\n")


if __name__ == "__main__":
    main()
