"""Replies over plain connections: however they are cut into pieces, and what is no reply."""

import asyncio
import gc
import gzip
import shutil
import ssl
import subprocess
import weakref
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.failures import BadConfig
from generate.llm.connections import Broken, Connections, NoConnection
from generate.llm.http1 import Garbled, ReplyReader
from generate.llm.wire import Wire

OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = {
    OK + b"Content-Length: 5\r\n\r\nhello": (b"hello", True),
    OK + b"content-length:0\r\n\r\n": (b"", True),
    OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;why=not\r\nlo\r\n0\r\n\r\n": (b"hello", True),
    OK + b"Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nDigest: none\r\nMore: x\r\n\r\n": (
        b"0123456789",
        True,
    ),
    OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi": (b"hi", False),
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi": (b"hi", False),
    b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi": (b"hi", True),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103\r\nLink: a\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nhi": (
        b"hi",
        True,
    ),
    b"HTTP/1.1 204 No Content\r\n\r\n": (b"", True),
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 700\r\n\r\n": (b"", True),
    OK + b"Upgrade: h2,h2c\r\nConnection: Upgrade, Keep-Alive\r\nX:\r\nContent-Length: 2 \r\n\r\nhi": (b"hi", True),
    OK + b"Transfer-Encoding: chunked\r\n\r\n2   \r\nhi\r\n0\r\nContent-Encoding: br\r\n\r\n": (b"hi", True),
    OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(z := gzip.compress(b"hi")), z): (b"hi", True),
    OK + b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n%b" % (len(z := zlib.compress(b"x")), z): (
        b"x",
        True,
    ),
}
GARBLED = [
    b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    b"HTTP/2 200\r\n\r\n",
    b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    OK + b"Content-Length: -1\r\n\r\n",
    OK + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nhello",
    OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    OK + b"Content-Length: %b\r\n\r\n" % (b"9" * 5000),
    OK + b"Name: a\0b\r\n\r\n",
    OK + b"Endless: " + b"x" * 70_000,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 3_000,
    OK + b"no colon\r\n\r\n",
    OK + b"Length : 4\r\n\r\n",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\nfive\r\nhello\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    OK + b"Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
    b"x" * 70_000,
]


def read(data: bytes, cuts: list[int]):
    reader, reply = ReplyReader(), None
    ends = [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, stop in zip([0, *ends], ends, strict=False):
        assert reply is None, "whole before its last byte"
        if start < stop:
            reply = reader.feed(data[start:stop])
    return reply, reader


@given(st.sampled_from(list(WHOLE)), st.lists(st.integers(0, 400), max_size=6))
def test_a_reply_is_the_same_in_whatever_pieces_it_comes(data, cuts):
    cuts = [cut for cut in cuts if cut % (len(data) + 1) < len(data)]
    reply, reader = read(data, cuts)
    assert reply is not None
    assert (reply.body, reader.keep) == WHOLE[data]


@pytest.mark.parametrize("data", GARBLED)
def test_what_is_no_reply_is_told_from_one(data):
    with pytest.raises(Garbled):
        ReplyReader().feed(data)


@pytest.mark.parametrize("data", [data for data in WHOLE if b" 204 " not in data and b" 304 " not in data])
def test_a_reply_that_is_cut_off_is_none(data):
    for length in range(len(data)):
        reader = ReplyReader()
        assert reader.feed(data[:length]) is None
        with pytest.raises(Garbled, match="disconnected"):
            reader.end()


def test_a_reply_may_end_with_its_connection():
    reader = ReplyReader()
    assert reader.feed(OK + b"\r\nhel") is None
    assert reader.feed(b"lo") is None
    assert (reader.end().body, reader.keep) == (b"hello", False)


@pytest.mark.parametrize("more", [b"!", b"\r\n!", OK + b"Content-Length: 2\r\n\r\nho"])
def test_bytes_that_nobody_asked_for_end_the_connection(more):
    reader = ReplyReader()
    assert reader.feed(OK + b"Content-Length: 2\r\n\r\nhi" + more).body == b"hi"
    assert not reader.keep


def test_headers_are_known_by_small_letters_and_joined_where_they_come_twice():
    reply = ReplyReader().feed(OK + b"X-A: 1\r\nx-a:  \xe9 \r\nEmpty:\r\nContent-Length: 0\r\n\r\n")
    assert reply.headers == {"x-a": "1, \xe9", "empty": "", "content-length": "0"}


def test_a_reader_that_is_done_needs_no_collector():
    def unread(reader: ReplyReader) -> None:
        reader.feed(OK)
        reader.release()

    def garbled(reader: ReplyReader) -> None:
        with pytest.raises(Garbled):
            reader.feed(b"HTTP/2.0 200 OK\r\n\r\n")

    def ended(reader: ReplyReader) -> None:
        reader.feed(OK + b"\r\nhi")
        reader.end()

    gc.disable()
    try:
        for read_by in (unread, garbled, ended, lambda reader: reader.feed(next(iter(WHOLE)))):
            read_by(reader := ReplyReader())
            gone = weakref.ref(reader)
            del reader
            assert gone() is None
    finally:
        gc.enable()


Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


def served(play: Play, ask: Callable[[int], object], tls: ssl.SSLContext | None = None):
    """What `ask` returns of a server that deals with each connection by `play`; how many there were."""
    opened = 0

    async def one(reader, writer):
        nonlocal opened
        opened += 1
        try:
            await play(reader, writer)
        finally:
            writer.close()

    async def both():
        server = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls)
        async with server:
            return await ask(server.sockets[0].getsockname()[1])

    return asyncio.run(asyncio.wait_for(both(), 20)), opened


async def request_of(reader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    return head + await reader.readexactly(length)


async def polite(reader, writer):
    """Answers with what it was sent, except on a path that has moved."""
    while True:
        try:
            said = await request_of(reader)
        except asyncio.IncompleteReadError:
            return
        if said.startswith(b"POST /moved/"):
            writer.write(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /v2/chat\r\nContent-Length: 0\r\n\r\n")
        else:
            writer.write(OK + b"Content-Length: %d\r\n\r\n%b" % (len(said), said))


async def curt(reader, writer):
    """Answers once and hangs up without a word."""
    await request_of(reader)
    writer.write(OK + b"Content-Length: 2\r\n\r\nhi")


async def silent(reader, writer):
    await request_of(reader)


async def posts(wire: Wire, number: int):
    try:
        return [await wire.post("/chat", {"n": n}) for n in range(number)]
    finally:
        await wire.close()


def test_a_connection_is_used_again_and_requests_are_what_they_should_be(monkeypatch):
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    replies, opened = served(polite, lambda port: posts(Wire(f"http://127.0.0.1:{port}/v1/50%25", "sk-%s", 5, 4), 3))
    assert opened == 1
    assert [reply.body.rpartition(b"\r\n\r\n")[2] for reply in replies] == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert replies[0].body.startswith(b"POST /v1/50%25/chat HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nAuthorization: Bearer sk-%s\r\n" in replies[0].body


def test_a_connection_that_the_server_closed_is_not_used_again():
    async def ask(port: int):
        wire = Wire(f"http://localhost:{port}/v1", "k", 5, 4)
        first = await wire.post("/chat", {})
        await asyncio.sleep(0.05)
        return first, *await posts(wire, 1)

    replies, opened = served(curt, ask)
    assert [reply.body for reply in replies] == [b"hi", b"hi"]
    assert opened == 2


def test_a_server_that_answers_before_it_has_read_the_request_is_sent_no_more_of_it():
    read, done = 0, asyncio.Event()

    async def hasty(reader, writer):
        nonlocal read
        writer.write(OK + b"Content-Length: 2\r\n\r\nno")
        await asyncio.sleep(0.1)
        with suppress(ConnectionError):
            while piece := await reader.read(1 << 20):
                read += len(piece)
        done.set()

    async def ask(port: int):
        reply = await Connections("127.0.0.1", port, None).exchange(b"x" * 50_000_000)
        await done.wait()
        return reply.body

    assert served(hasty, ask) == (b"no", 1)
    assert read < 50_000_000


@pytest.mark.parametrize("given_up", [True, False], ids=["cancelled", "closed meanwhile"])
def test_nothing_stays_open_of_what_nobody_waits_for(given_up):
    lost = asyncio.Event()

    async def slow(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.write(OK + b"Content-Length: 2\r\n\r\nhi")
        await reader.read()
        lost.set()

    async def ask(port: int):
        connections = Connections("127.0.0.1", port, None)
        under_way = asyncio.create_task(connections.exchange(b"GET / HTTP/1.1\r\n\r\n"))
        await asyncio.sleep(0.05)
        under_way.cancel() if given_up else connections.close()
        (reply,) = await asyncio.gather(under_way, return_exceptions=True)
        await asyncio.wait_for(lost.wait(), 5)
        return reply

    reply, opened = served(slow, ask)
    assert isinstance(reply, asyncio.CancelledError) if given_up else reply.body == b"hi"
    assert opened == 1


def test_a_server_that_hangs_up_may_have_been_paid():
    with pytest.raises(Broken, match="disconnected"):
        served(silent, lambda port: posts(Wire(f"http://127.0.0.1:{port}/v1", "k", 5, 4), 1))


def test_redirects_are_followed_from_then_on():
    replies, _ = served(polite, lambda port: posts(Wire(f"http://127.0.0.1:{port}/moved", "k", 5, 4), 2))
    assert all(b'{"n":' in reply.body and reply.body.startswith(b"POST /v2/chat") for reply in replies)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_tls_is_checked_against_the_certificates_of_the_environment(tmp_path, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*new, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)

    def ask(host: str):
        return served(polite, lambda port: posts(Wire(f"https://{host}:{port}/v1", "k", 5, 4), 2), tls)

    with pytest.raises(NoConnection, match="certificate"):
        ask("localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    replies, opened = ask("localhost")
    assert (len(replies), opened) == (2, 1)
    with pytest.raises(NoConnection, match="mismatch"):
        ask("127.0.0.1")


@pytest.mark.parametrize("host", ["a..b", "x" * 64])
def test_what_is_no_name_is_no_connection(host):
    with pytest.raises(NoConnection):
        asyncio.run(posts(Wire(f"http://{host}/v1", "k", 5, 4), 1))


def test_a_key_with_a_line_break_is_told_of_without_showing_it():
    with pytest.raises(BadConfig, match="Authorization") as told:
        Wire("http://localhost/v1", "sk-secret\nX: y", 5, 4)
    assert "sk-secret" not in str(told.value)


def test_a_name_that_does_not_exist_is_no_connection():
    async def ask():
        await Connections("model.example.invalid", 80, None).exchange(b"")

    with pytest.raises(NoConnection):
        asyncio.run(ask())
