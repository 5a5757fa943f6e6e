"""A lean HTTP/1.1 client: one request at a time, with as little work of its own as can be.

The sliced comparison asks through it over sockets that are handed over, Locust users over their own.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from loadtests.cases import Case

HOST = "127.0.0.1"
BUFFER = 1 << 16
BODILESS = (204, 304)
FINAL = 200
"""Answers with a lower status are interim ones, which another follows."""
IDLE_S = 0.5
"""No server closes a connection sooner for being idle."""


class Malformed(OSError):
    """What came is no HTTP answer, or its end is missing."""


class Unanswered(ConnectionResetError):
    """The connection was lost before the first byte of an answer."""


class Reply(NamedTuple):
    """One answer; moments by `time.perf_counter`. `ended` is when the server's close was seen, or the last byte."""

    began: float
    answered: float
    ended: float
    status: int
    head: bytes
    body: bytes

    @property
    def status_code(self) -> int:
        """The status, under the name that Locust's listeners know."""
        return self.status

    @property
    def headers(self) -> dict[str, str]:
        """The fields of the head, their names in lower case."""
        return headers_of(self.head)

    @property
    def content(self) -> bytes:
        """The body, under the name that Locust's listeners know."""
        return self.body


class Connection(Protocol):
    """What a client needs of a socket."""

    def connect(self, address: tuple[str, int], /) -> None:
        """Connect, or begin to."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of it."""

    def recv(self, size: int, /) -> bytes:
        """Return what has come, nothing at the end."""

    def shutdown(self, how: int, /) -> None:
        """Send or receive no more."""

    def close(self) -> None:
        """Give it up."""


class Source(Protocol):
    """Where a client's sockets come from."""

    def take(self) -> Connection:
        """Return one that is not connected; it is the caller's to connect and close."""


class Client:
    """Asks one server, over kept connections where it keeps them.

    Args:
        source: sockets of the server's namespace.
        port: where it listens.
        connections: how many are kept, and used in turn; None: as many as are wanted at once, the last used first.
        waits: whether a server's close is waited for, since it belongs to its work. Where others ask at the same time,
            the server is at work anyway, and the connection is closed after the last byte, as other clients do.

    """

    def __init__(self, source: Source, *, port: int, connections: int | None = 1, waits: bool = True) -> None:
        self._source = source
        self._waits = waits
        self.opened = 0
        """Connections that were set up so far."""
        self._address = (HOST, port)
        self._kept: deque[tuple[Connection, float] | None] = deque([None] * (connections or 0))
        """Each with the moment of its last answer."""
        self._in_turn = connections is not None

    def ask(self, request: bytes) -> Reply:
        """Send a request and read its answer whole; where the server closes the connection, so does the client.

        A connection that was lost is no failure where it was idle, as servers may close those: another is made, and the
        time of both counts. One that is lost in use is a failure, since the server had the request.

        Raises:
            OSError: no connection, no answer in time, or no HTTP.

        """
        began = None
        if self._kept and (kept := self._kept.popleft()) is not None:
            connection, used = kept
            began = time.perf_counter()
            try:
                return self._exchange(connection, request, began)
            except OSError as error:
                connection.close()
                if not isinstance(error, Unanswered) or began - used < IDLE_S:
                    self._keep(None)
                    raise
        fresh = self._source.take()
        self.opened += 1
        began = began or time.perf_counter()
        try:
            fresh.connect(self._address)
            return self._exchange(fresh, request, began)
        except OSError:
            self._keep(None)
            fresh.close()
            raise

    def _keep(self, one: tuple[Connection, float] | None) -> None:
        """Keep a connection for another request; None holds the place of one that is closed."""
        if self._in_turn:
            self._kept.append(one)
        elif one is not None:
            self._kept.appendleft(one)

    def _exchange(self, connection: Connection, request: bytes, began: float) -> Reply:
        receive = connection.recv
        try:
            connection.sendall(request)
            data = receive(BUFFER)
        except (ConnectionResetError, BrokenPipeError) as error:
            raise Unanswered(*error.args) from error
        if not data:
            raise Unanswered("closed before an answer")
        while True:
            while (end := data.find(b"\r\n\r\n")) < 0:
                data += _more(connection)
            head = data[:end].lower()
            try:
                status = _status(head)
                length = _length(head, status, request)
            except ValueError as error:
                raise Malformed(f"not HTTP: {data[:60]!r}") from error
            if status >= FINAL:
                break
            data = data[end + 4 :]
        start = end + 4
        to_the_end = False
        if length is not None:
            while len(data) < start + length:
                data += _more(connection)
            if len(data) > start + length:
                raise Malformed(f"more than the answer's {length} bytes")
            body = data[start:]
        elif _chunked(head):
            body = _chunks(connection, data[start:])
        else:
            to_the_end = True
            while more := receive(BUFFER):
                data += more
            body = data[start:]
        answered = ended = time.perf_counter()
        if to_the_end or _closes(head):
            if self._waits:
                # It is told first that nothing more will come: Flask's development server waits 10 ms for that.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                    while not to_the_end and receive(BUFFER):
                        pass
                ended = time.perf_counter()
            connection.close()
            self._keep(None)
        else:
            self._keep((connection, answered))
        return Reply(began, answered, ended, status, data[:end], body)


def request_bytes(case: Case, port: int) -> bytes:
    """Return a case's request as it goes over the wire."""
    headers = {"Host": f"{HOST}:{port}", **case.request_headers}
    if case.body is not None:
        headers["Content-Length"] = str(len(case.body))
    lines = [f"{case.method} {case.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (case.body or b"")


def headers_of(head: bytes) -> dict[str, str]:
    """Return the fields of an answer's head, their names in lower case."""
    fields: Sequence[bytes] = head.split(b"\r\n")[1:]
    pairs = (field.partition(b":") for field in fields)
    return {name.decode("latin-1").strip().lower(): value.decode("latin-1").strip() for name, _, value in pairs}


def _status(head: bytes) -> int:
    status = int(head[9:12])
    if not head.startswith(b"http/1.") or status < 100:
        raise ValueError(status)
    return status


def _length(head: bytes, status: int, request: bytes) -> int | None:
    """Return the body's length, or None where the head does not say."""
    if status in BODILESS or request.startswith(b"HEAD "):
        return 0
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        return None
    end = head.find(b"\r\n", at + 2)
    length = int(head[at + 17 : end if end >= 0 else len(head)])
    if length < 0:
        raise ValueError(length)
    return length


def _chunked(head: bytes) -> bool:
    _, there, after = head.partition(b"\r\ntransfer-encoding:")
    return bool(there) and b"chunked" in after.partition(b"\r\n")[0]


def _closes(head: bytes) -> bool:
    if head.startswith(b"http/1.0"):
        return b"\r\nconnection: keep-alive" not in head
    return b"\r\nconnection: close" in head


def _more(connection: Connection) -> bytes:
    more = connection.recv(BUFFER)
    if not more:
        raise Malformed("closed in the middle of an answer")
    return more


def _chunks(connection: Connection, data: bytes) -> bytes:
    """Read a body in chunks (RFC 9112, 7.1), trailers and all."""
    body = b""
    while True:
        while (end := data.find(b"\r\n")) < 0:
            data += _more(connection)
        try:
            size = int(data[:end].split(b";")[0], 16)
            if size < 0:
                raise ValueError(size)
        except ValueError as error:
            raise Malformed(f"not a chunk: {data[:20]!r}") from error
        data = data[end + 2 :]
        if size == 0:
            break
        while len(data) < size + 2:
            data += _more(connection)
        body, data = body + data[:size], data[size + 2 :]
    while not (data.startswith(b"\r\n") or b"\r\n\r\n" in data):
        data += _more(connection)
    return body
