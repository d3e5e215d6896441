"""As much of the Hugging Face Hub's HTTP interface as putting a model there and fetching one takes."""

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

INFO = re.compile(r"/api/models/(?P<repo>[^/]+/[^/]+)(?:/(?P<what>revision|tree)/(?P<revision>[^/?]+))?(?:\?.*)?$")
FILE = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
CALL = re.compile(
    r"/api/(?:(?P<whole>repos/create|validate-yaml)|(?:models|datasets)/(?P<repo>[^/]+/[^/]+)/(?P<call>\w+))"
)


@dataclass
class ModelHub:
    """Takes what is written to it, once entered; `status` other than 200 is the answer to every request."""

    status: int = 200
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> "ModelHub":
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, repo: str, files: dict[str, bytes], gated: bool = False) -> str:
        """A model that is there already, or its next commit; returns the commit."""
        place = self.repositories.setdefault(repo, {"private": False, "files": {}, "tags": {}, "commits": [], "at": {}})
        place["gated"], oid = gated, f"{len(place['commits']) + 1:040x}"
        place["commits"].append(oid)
        place["at"][oid] = files
        return oid

    def find(self, repo: str, revision: str | None) -> tuple[str, dict[str, bytes]] | str:
        """The commit that a revision names and its files, or the hub's word for why not."""
        place = self.repositories.get(repo)
        if place is None:
            return "RepoNotFound"
        oid = place["commits"][-1] if revision in (None, "main") else place["tags"].get(revision, revision)
        if oid not in place["at"]:
            return "RevisionNotFound"
        return "GatedRepo" if place["gated"] else (oid, place["at"][oid])

    def create(self, sent: Any) -> tuple[int, Any]:
        name = f"{sent['organization']}/{sent['name']}" if sent.get("organization") else sent["name"]
        there = name in self.repositories
        if not there:
            private = sent["visibility"] == "private"
            kind = sent.get("type", "model")
            self.repositories[name] = {"kind": kind, "private": private, "files": {}, "tags": {}, "commits": []}
        return 409 if there else 200, {"url": f"{self.url}/{name}", "name": name}

    def preupload(self, repo: str, sent: Any) -> tuple[int, Any]:
        keep = {"uploadMode": "regular", "shouldIgnore": False}
        return 200, {"files": [{"path": file["path"], **keep} for file in sent["files"]]}

    def commit(self, repo: str, sent: list[Any]) -> tuple[int, Any]:
        place = self.repositories[repo]
        for line in sent:
            if line["key"] == "file":
                place["files"][line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            if line["key"] == "deletedFile":
                del place["files"][line["value"]["path"]]
        oid = f"{len(place['commits']) + 1:040x}"
        place["commits"].append(oid)
        return 200, {"success": True, "commitOid": oid, "commitUrl": f"{self.url}/{repo}/commit/{oid}"}

    def tree(self, repo: str, sent: Any) -> tuple[int, Any]:
        files = self.repositories[repo]["files"].items()
        return 200, [
            {"type": "file", "path": path, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            for path, data in files
        ]

    def refs(self, repo: str, sent: Any) -> tuple[int, Any]:
        tags = self.repositories[repo]["tags"].items()
        listed = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": oid} for name, oid in tags]
        return 200, {"branches": [], "converts": [], "tags": listed}

    def tag(self, repo: str, sent: Any) -> tuple[int, Any]:
        self.repositories[repo]["tags"][sent["tag"]] = self.repositories[repo]["commits"][-1]
        return 200, {}


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[ModelHub]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.hub.asked.append(f"{self.command} {self.path}")
        self.hub.tokens.add(self.headers.get("Authorization", ""))
        if self.hub.status != 200:
            return self._send(self.hub.status, {"error": "no"})
        found = CALL.match(self.path)
        if not found:
            return self._send(404, {"error": f"nothing at {self.path}"})
        if found["whole"] == "validate-yaml":
            return self._send(200, {"errors": [], "warnings": []})
        lines = [json.loads(line) for line in body.splitlines() if line]
        if found["whole"]:
            return self._send(*self.hub.create(lines[0]))
        sent = lines if found["call"] == "commit" else lines[0] if lines else {}
        return self._send(*getattr(self.hub, found["call"])(found["repo"], sent))

    def do_GET(self) -> None:
        info, file = INFO.match(self.path), FILE.match(self.path)
        if self.hub.status != 200 or not (info or file):
            return self.do_POST()
        self.hub.asked.append(f"{self.command} {self.path}")
        wanted = (info or file).groupdict()
        found = self.hub.find(wanted["repo"], wanted["revision"])
        if isinstance(found, str):
            status = 403 if found == "GatedRepo" else 404
            return self._send(status, {"error": found}, {"X-Error-Code": found, "X-Error-Message": found})
        oid, files = found
        if info and info["what"] == "tree":
            listed = [{"type": "file", "path": name, "size": len(files[name]), "oid": "0"} for name in sorted(files)]
            return self._send(200, listed)
        if info:
            listed = [{"rfilename": name} for name in sorted(files)]
            return self._send(200, {"id": wanted["repo"], "sha": oid, "siblings": listed})
        data = files[wanted["path"]]
        return self._send(200, data, {"X-Repo-Commit": oid, "ETag": f'"{hashlib.sha1(data).hexdigest()}"'})

    do_HEAD = do_GET

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass
