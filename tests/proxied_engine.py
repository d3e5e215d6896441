"""The socket proxy before the real Docker engine, as compose runs it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent / "images/socket-proxy/socket_proxy.py"


@contextmanager
def proxied_engine(images: str, networks: str) -> Iterator[int]:
    """The port of a proxy that lets through these images (a pattern) and networks (separated by commas)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    policy = {
        "PROXY_OWNER": f"test-{port}",
        "PROXY_IMAGES": images,
        "PROXY_NETWORKS": networks,
        "PROXY_PORT": str(port),
    }
    proxy = subprocess.Popen([sys.executable, PROGRAM], env=os.environ | policy, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        proxy.terminate()
        proxy.wait()
