"""As much of the Hugging Face Hub's HTTP interface as reading a data set takes: one repository of plain files."""

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

RESOLVED = re.compile(r"/datasets/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
INTERFACE = re.compile(
    r"/api/datasets/(?P<repo>[^/]+/[^/]+)(?:/(?P<call>revision|tree|paths-info)/(?P<revision>[^/?]+)/?(?P<folder>[^?]*))?"
)
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class HubServer:
    """Serves one repository, once entered; `revisions` maps branches to commits, `files` are the same at each."""

    repo: str
    files: dict[str, bytes]
    revisions: dict[str, str]
    status: int = 200
    """Anything but 200 is the answer to every request."""
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def about(self, commit: str) -> dict[str, Any]:
        names = [{"rfilename": name} for name in self.files]
        about = {"_id": "1", "id": self.repo, "sha": commit, "private": False, "gated": False, "tags": []}
        return about | {"siblings": names, "cardData": {"license": "cc-by-4.0"}}

    def listing(self, folder: str) -> list[dict[str, Any]]:
        """Files and folders right below a folder."""
        start = f"{folder}/" if folder else ""
        inside = [name.removeprefix(start) for name in self.files if name.startswith(start)]
        folders = sorted({name.partition("/")[0] for name in inside if "/" in name})
        below = [{"type": "directory", "path": start + name, "size": 0, "oid": oid(b"")} for name in folders]
        return below + [self.entry(start + name) for name in inside if "/" not in name]

    def entry(self, name: str) -> dict[str, Any]:
        return {"type": "file", "path": name, "size": len(self.files[name]), "oid": oid(self.files[name])}


def oid(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[HubServer]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_GET

    def _answer(self) -> None:
        hub = self.hub
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        hub.asked.append(f"{self.command} {self.path}")
        if hub.status != 200:
            return self._send(hub.status, b"{}")
        if found := RESOLVED.match(self.path):
            return self._file(found["revision"], found["path"])
        found = INTERFACE.match(self.path)
        commit = hub.revisions.get(found["revision"] or "main", "") if found else ""
        if not found or found["repo"] != hub.repo:
            return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if not commit:
            return self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        return self._send(200, json.dumps(self._called(found["call"], commit, found["folder"], sent)).encode())

    def _called(self, call: str | None, commit: str, folder: str, sent: bytes) -> Any:
        hub = self.hub
        if call == "tree":
            return hub.listing(folder)
        if call == "paths-info":
            wanted = re.findall(r'"([^"]+)"', sent.decode()) or sent.decode()
            return [hub.entry(name) for name in hub.files if name in wanted]
        return hub.about(commit)

    def _file(self, revision: str, path: str) -> None:
        data = self.hub.files.get(path)
        if data is None:
            return self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
        headers = {"ETag": f'"{oid(data)}"', "X-Repo-Commit": self.hub.revisions.get(revision, revision)}
        part = RANGE.match(self.headers.get("Range", ""))
        if part is None:
            return self._send(200, data, headers)
        start, end = int(part[1]), int(part[2] or len(data) - 1)
        headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        return self._send(206, data[start : end + 1], headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
