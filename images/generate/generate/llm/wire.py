"""One POST of JSON at a time over connections that are kept open: the hot path, with nothing in it that costs.

The openai client spends 2.6 to 4 ms of CPU on a request, aiohttp an eighth of one (a third where it connects), plain
connections less than half of that. What people set in the environment works as with that client: proxies
(`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), certificates (`SSL_CERT_FILE`), organisation and project.
Proxies, redirects and unusual addresses are left to aiohttp.
"""

import asyncio
import json
import os
import re
import ssl
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson

from contract.failures import BadConfig
from generate.llm.connections import CONNECT_SECONDS, KEPT_OPEN_SECONDS, Broken, Connections, NoConnection
from generate.llm.http1 import Reply

HEADERS_FROM = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
PLAIN_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[\w.-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?(?P<path>(?:/[\w.~!$&'()*+,;=:@%-]*)*)",
    re.ASCII,
)
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
LAST_PORT = 65_535
REDIRECTS = {301, 302, 303, 307, 308}

UNREACHABLE = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


class Wire:
    """Connections to one server, no more than requests are under way; those that aiohttp opens, `connections` at most.

    Raises `BadConfig` for a key that is no header.
    """

    def __init__(self, address: str, key: str, timeout: float, connections: int) -> None:
        self.address, self.timeout, self._connections = address, timeout, connections
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._headers |= {header: os.environ[name] for name, header in HEADERS_FROM.items() if os.environ.get(name)}
        if broken := [name for name, value in self._headers.items() if CONTROL_CHARACTER.search(value)]:
            hint = "look for a line break or a tab in the key"
            raise BadConfig(f"{broken[0]} holds a control character", where=address, hint=hint)
        self._proxy = proxy_of(address)
        self._session: aiohttp.ClientSession | None = None
        self._direct: Connections | None = None
        self._head = b""
        parts = PLAIN_ADDRESS.fullmatch(address)
        if parts and not self._proxy and int(parts["port"] or 0) <= LAST_PORT:
            self._go_direct(parts["scheme"], parts["host"], parts["port"], parts["path"])

    async def post(self, path: str, body: dict[str, Any]) -> Reply:
        """Send a body and wait for the whole answer.

        Raises `TimeoutError` when it takes too long, `NoConnection`, `Broken`.
        """
        data = encoded(body)
        if direct := self._direct:
            head = self._head % (path.encode(), len(data))
            async with asyncio.timeout(self.timeout):
                reply = await direct.exchange(head + data)
            if reply.status not in REDIRECTS:
                return reply
            self._direct = None
            direct.close()
        return await self._post(path, data)

    async def close(self) -> None:
        """Close the connections."""
        if self._direct:
            self._direct.close()
        if self._session:
            await self._session.close()

    def _go_direct(self, scheme: str, host: str, port: str | None, path: str) -> None:
        tls = ssl.create_default_context() if scheme == "https" else None
        number = int(port or (443 if tls else 80))
        self._direct = Connections(host.strip("[]"), number, tls, min(self.timeout, CONNECT_SECONDS))
        headers = {
            "Host": f"{host}:{port}" if port else host,
            "Accept": "*/*",
            "User-Agent": "nocturne",
            **self._headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        start = f"POST {path}".replace("%", "%%") + "%b HTTP/1.1\r\n"
        self._head = f"{start}{lines.replace('%', '%%')}Content-Length: %d\r\n\r\n".encode()

    async def _post(self, path: str, data: bytes) -> Reply:
        """The same by aiohttp."""
        try:
            async with self._open().post(f"{self.address}{path}", data=data, proxy=self._proxy) as response:
                return Reply(response.status, response.headers, await response.read())
        except UNREACHABLE as error:
            raise NoConnection(str(error) or type(error).__name__) from None
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise Broken(str(error) or type(error).__name__) from None

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
