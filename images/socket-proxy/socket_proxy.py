"""An HTTP server between the Airflow scheduler and the Docker engine's socket; what passes is decided in policy.py.

Environment: PROXY_OWNER (label value of the containers made here), PROXY_IMAGES (pattern of allowed images),
PROXY_NETWORKS (comma-separated), PROXY_SOCKET [/var/run/docker.sock], PROXY_PORT [2375].
"""

import http
import http.client
import json
import logging
import os
import re
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlencode

from policy import Missing, Policy, Refused, Request, check_create, check_image, check_pull, own_filter, owned, route

LARGEST_BODY = 4 << 20  # bytes; a create call carries at most a stage's configuration
PASSED_ON = ("Content-Type", "X-Registry-Auth")
RETURNED = ("Content-Type", "X-Docker-Container-Path-Stat", "Api-Version", "Docker-Experimental", "Server")
log = logging.getLogger("socket-proxy")


class Engine(http.client.HTTPConnection):
    """One connection to the engine's Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("docker")
        self.path = path

    def connect(self) -> None:
        """Open the socket, where the base class would resolve a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self.path)


class Proxy(BaseHTTPRequestHandler):
    """Answers one client connection."""

    protocol_version = "HTTP/1.1"
    policy: ClassVar[Policy]
    engine_path: ClassVar[str]

    def answer(self) -> None:
        """Check the request, send it on, and stream the engine's answer back."""
        try:
            body = self.body()
            self.forward(*self.checked(route(self.command, self.path), body))
        except (Refused, json.JSONDecodeError) as refusal:
            log.warning("refused %s %s: %s", self.command, self.path.partition("?")[0], refusal)
            self.reply(getattr(refusal, "status", 403), f"socket-proxy: {refusal}")
        except (OSError, http.client.HTTPException) as trouble:
            log.error("%s %s: %r", self.command, self.path.partition("?")[0], trouble)
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_DELETE = do_PUT = answer

    def body(self) -> bytes:
        """The request's body. Raises Refused for one that is chunked or larger than any create call."""
        length = int(self.headers.get("Content-Length") or 0)
        if "Transfer-Encoding" in self.headers or not 0 <= length <= LARGEST_BODY:
            raise Refused(f"a body must have a length, of at most {LARGEST_BODY} bytes")
        return self.rfile.read(length)

    def checked(self, request: Request, body: bytes) -> tuple[str, bytes]:
        """The path with query and the body to send on, after the policy's say. Raises Refused."""
        path, query = request.path, request.query
        if request.kind == "create":
            body = check_create(body, self.policy)
        elif request.kind == "pull":
            check_pull(query, self.policy)
        elif request.kind == "image":
            check_image(request.names["image"], self.policy)
        elif request.kind == "list":
            query = own_filter(query, self.policy)
        elif name := request.names.get("id"):
            path = path.replace(f"/containers/{name}", f"/containers/{self.own_id(name)}", 1)
        return f"{path}?{urlencode(query)}" if query else path, body

    def own_id(self, name: str) -> str:
        """The full id of a container made here; what is acted on is what was looked at, whatever its name becomes."""
        engine = Engine(self.engine_path)
        engine.request("GET", f"/containers/{name}/json")
        answer = engine.getresponse()
        container = json.load(answer)
        engine.close()
        if answer.status == http.HTTPStatus.NOT_FOUND:
            raise Missing(f"No such container: {name}")
        if not owned(container, self.policy):
            raise Refused(f"container {name} was not made through this proxy")
        return str(container["Id"])

    def forward(self, path: str, body: bytes) -> None:
        """Send the checked request to the engine and stream its answer back."""
        engine = Engine(self.engine_path)
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        engine.request(self.command, path, body or None, headers)
        answer = engine.getresponse()
        self.send_response_only(answer.status)
        for name in RETURNED:
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.stream(answer)
        engine.close()

    def stream(self, answer: http.client.HTTPResponse) -> None:
        """Pass the body on piece by piece as it comes: a followed log lasts as long as its container."""
        if self.command == "HEAD" or answer.status in (http.HTTPStatus.NO_CONTENT, http.HTTPStatus.NOT_MODIFIED):
            self.end_headers()
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while piece := answer.read1(1 << 16):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def reply(self, status: int, message: str) -> None:
        """Answer with an error in the engine's own form, which its clients show. An unread body ends the connection."""
        self.close_connection = True
        text = json.dumps({"message": message}).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)


def main() -> None:
    """Serve until killed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    networks = frozenset(filter(None, os.environ["PROXY_NETWORKS"].split(",")))
    Proxy.policy = Policy(os.environ["PROXY_OWNER"], re.compile(os.environ["PROXY_IMAGES"]), networks)
    Proxy.engine_path = os.environ.get("PROXY_SOCKET", "/var/run/docker.sock")
    server = ThreadingHTTPServer(("", int(os.environ.get("PROXY_PORT", "2375"))), Proxy)
    server.daemon_threads = True
    log.info("%s, images %s, networks %s", Proxy.policy.owner, Proxy.policy.images.pattern, sorted(networks))
    server.serve_forever()


if __name__ == "__main__":
    main()
