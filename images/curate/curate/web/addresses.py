"""Web addresses: one spelling for each, and which of them are public."""

import ipaddress
import socket
from urllib.parse import quote, urlsplit, urlunsplit

import urllib3

from contract.redact import redacted
from contract.uris import WEB

DEFAULT_PORTS = {"http": 80, "https": 443}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
SAFE = "/%:@!$&'()*+,;=~-._?"


class NotPublic(urllib3.exceptions.HTTPError):
    """A host's name leads to an address inside a network, which a page from outside must never make us ask."""


def normal(url: str) -> str:
    """The address without fragment, default port and spaces, host in lower case; empty where it is not on the web.

    So is an address that carries a password or a token: it would be kept with the document.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:
        return ""
    if parts.scheme not in WEB or not host or parts.username or redacted(url) != url:
        return ""
    place = f"[{host}]" if ":" in host else host
    if port not in (None, DEFAULT_PORTS[parts.scheme]):
        place += f":{port}"
    return urlunsplit((parts.scheme, place, quote(parts.path, SAFE) or "/", quote(parts.query, SAFE), ""))


def origin(url: str) -> str:
    """Scheme, host and port: what shares one robots.txt and one pace."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def public_address(host: str, port: int | None) -> str:
    """One IP address of a host.

    Raises `NotPublic` when any of its addresses is one of this machine, of a private network, link-local or reserved,
    and `OSError` where the name has none.
    """
    found = [str(item[4][0]) for item in socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)]
    for address in found:
        if not is_public(address):
            raise NotPublic("the address is not public")
    return found[0]


def is_public(address: str) -> bool:
    """Whether an IP address can be reached by anybody; of one that wraps another, the wrapped one counts."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast
