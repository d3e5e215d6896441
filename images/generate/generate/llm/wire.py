"""One POST of JSON at a time over connections that are kept open: the hot path, with nothing in it that costs.

The openai client spends 2.6 to 4 ms of CPU on a request, aiohttp a quarter of one. What people set in the environment
works as with that client: proxies (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), certificates
(`SSL_CERT_FILE`), organisation and project.
"""

import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson

from contract.failures import BadConfig

CONNECT_SECONDS = 10.0
KEPT_OPEN_SECONDS = 60.0
"""Servers close idle connections after 5 to 75 seconds; one that is closed under way costs a try."""
HEADERS_FROM = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}

UNREACHABLE = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


class NoConnection(Exception):
    """The server cannot be reached; nothing was sent."""


class Broken(Exception):
    """The connection broke after the request was on its way."""


@dataclass(frozen=True)
class Reply:
    """What came back: any status, header names in any case, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Connections to one server, `connections` at most."""

    def __init__(self, address: str, key: str, timeout: float, connections: int) -> None:
        self.address, self.timeout, self._connections = address, timeout, connections
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._headers |= {header: os.environ[name] for name, header in HEADERS_FROM.items() if os.environ.get(name)}
        self._proxy = proxy_of(address)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: dict[str, Any]) -> Reply:
        """Send a body and wait for the whole answer.

        Raises `TimeoutError` when it takes too long, `NoConnection`, `Broken`.
        """
        try:
            async with self._open().post(f"{self.address}{path}", data=encoded(body), proxy=self._proxy) as response:
                return Reply(response.status, response.headers, await response.read())
        except UNREACHABLE as error:
            raise NoConnection(str(error) or type(error).__name__) from None
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise Broken(str(error) or type(error).__name__) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections,
                    keepalive_timeout=KEPT_OPEN_SECONDS,
                    ssl=ssl.create_default_context() if self.address.startswith("https:") else True,
                ),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(self.timeout, sock_connect=min(self.timeout, CONNECT_SECONDS)),
            )
        return self._session


def encoded(body: dict[str, Any]) -> bytes:
    """JSON; half a UTF-16 pair, which models write and UTF-8 cannot hold, goes as its escape."""
    try:
        return orjson.dumps(body)
    except TypeError:
        return json.dumps(body).encode()


def proxy_of(address: str) -> str | None:
    """The proxy that the environment names for an address. Raises `BadConfig` for one that is no HTTP proxy."""
    parts, proxies = urlsplit(address), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not proxy.startswith(("http://", "https://")):
        scheme = proxy.partition(":")[0]
        raise BadConfig(f"the proxy in the environment is a {scheme} proxy", expected="an HTTP proxy", where=address)
    return proxy
