"""HTTP connections that check where they lead after the name is resolved and before anything is sent.

The address that was checked is the one connected to, so a name that changes its mind in between gains nothing.
"""

import socket

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError

from curate.web.addresses import public_address


class PublicHTTPConnection(HTTPConnection):
    """Plain HTTP, to public addresses only."""

    def _new_conn(self) -> socket.socket:
        with _Resolved(self):
            return super()._new_conn()


class PublicHTTPSConnection(HTTPSConnection):
    """HTTPS, to public addresses only; the certificate is checked against the name."""

    def _new_conn(self) -> socket.socket:
        with _Resolved(self):
            return super()._new_conn()


class _Resolved:
    """For the time of connecting, a connection's host is the address that was checked."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.connection, self.host = connection, connection.host

    def __enter__(self) -> None:
        try:
            self.connection.host = public_address(self.host, self.connection.port)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self.connection, error) from None

    def __exit__(self, *_: object) -> None:
        self.connection.host = self.host


class _PublicHTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = PublicHTTPConnection


class _PublicHTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = PublicHTTPSConnection


def connection_pool(allow_private: bool) -> urllib3.PoolManager:
    """Connections kept open and reused, a few per host."""
    pool = urllib3.PoolManager(num_pools=64, maxsize=2)
    if not allow_private:
        pool.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}
    return pool
