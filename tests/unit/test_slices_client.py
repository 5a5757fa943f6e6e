"""The lean client, held against every way in which an answer may be cut up, and the sockets that are handed over."""

from __future__ import annotations

import itertools
import socket
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.cases import Case
from loadtests.inside import connector, lean, stock
from loadtests.inside.lean import Client, Malformed
from loadtests.inside.stock import Stock

BODY = b"Hello, World!"
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\ncontent-length: 13\r\nX-Kept: Yes\r\n\r\n" + BODY
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n" + BODY
OLD = b"HTTP/1.0 200 OK\r\nContent-Length: 13\r\n\r\n" + BODY
TO_THE_END = b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\n" + BODY
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7;a=b\r\nHello, \r\n6\r\nWorld!\r\n0\r\nT: x\r\n\r\n"


class Wire:
    """A connection whose answers were written beforehand; an empty piece is the server's close."""

    def __init__(self, *pieces: bytes | OSError) -> None:
        self.pieces = list(pieces)
        self.sent = b""
        self.closed = False

    def connect(self, address: tuple[str, int]) -> None: ...

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, OSError):
            raise piece
        return piece

    def shutdown(self, how: int) -> None: ...

    def close(self) -> None:
        self.closed = True


class Wires:
    """A stock of them."""

    def __init__(self, *wires: Wire) -> None:
        self.wires = list(wires)

    def take(self) -> Any:
        return self.wires.pop(0)


def client(*wires: Wire, connections: int | None = 1, waits: bool = True) -> Client:
    source: Any = Wires(*wires)
    return Client(source, port=5000, connections=connections, waits=waits)


@given(
    answer=st.sampled_from([PLAIN, CLOSING, OLD, TO_THE_END, CHUNKED]),
    cuts=st.lists(st.integers(1, 120), max_size=6),
)
def test_an_answer_is_read_whole_however_it_is_cut_up(answer: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(answer), *(cut for cut in cuts if cut < len(answer))})
    pieces = [answer[begin:end] for begin, end in itertools.pairwise(places)]
    reply = client(Wire(*pieces)).ask(b"GET / HTTP/1.1\r\n\r\n")
    assert reply.status == 200
    assert reply.body == BODY
    assert reply.began <= reply.answered <= reply.ended


def test_without_waiting_a_connection_that_closes_is_left_after_the_last_byte() -> None:
    closing = Wire(CLOSING, b"never asked for")
    reply = client(closing, waits=False).ask(b"GET / HTTP/1.1\r\n\r\n")
    assert reply.body == BODY
    assert reply.answered == reply.ended
    assert closing.closed
    assert closing.pieces == [b"never asked for"]


def test_as_many_connections_are_kept_as_are_wanted_at_once_and_the_last_used_is_first() -> None:
    asked: list[bytes] = []

    class Nested(Wire):
        """Asks a second time while its own answer is awaited, as another greenlet would."""

        def recv(self, size: int) -> bytes:
            if not asked:
                asked.append(asking.ask(b"inner").body)
            return super().recv(size)

    outer, inner = Nested(PLAIN, PLAIN), Wire(PLAIN, PLAIN)
    asking = client(outer, inner, connections=None)
    assert asking.ask(b"outer").body == BODY
    assert asked == [BODY]
    assert asking.opened == 2
    asking.ask(b"last")
    assert (outer.sent, inner.sent) == (b"outerlast", b"inner")


def test_a_connection_that_failed_is_not_kept() -> None:
    for connections in (1, None):
        broken, good = Wire(PLAIN, TimeoutError()), Wire(PLAIN)
        asking = client(broken, good, connections=connections)
        asking.ask(b"x")
        with pytest.raises(TimeoutError):
            asking.ask(b"x")
        assert broken.closed
        assert asking.ask(b"x").body == BODY


def test_an_answer_looks_like_others_to_locusts_listeners() -> None:
    reply = client(Wire(PLAIN)).ask(b"GET / HTTP/1.1\r\n\r\n")
    assert (reply.status_code, reply.content) == (200, BODY)
    assert reply.headers == {"content-type": "text/html", "content-length": "13", "x-kept": "Yes"}


def test_a_kept_connection_is_used_again_and_a_closed_one_is_not() -> None:
    kept, closing, last = Wire(PLAIN, CLOSING), Wire(OLD), Wire(PLAIN)
    asking = client(kept, closing, last)
    for _ in range(4):
        assert asking.ask(b"GET / HTTP/1.1\r\n\r\n").body == BODY
    assert asking.opened == 3
    assert kept.closed
    assert closing.closed
    assert not last.closed


def test_connections_are_used_in_turn() -> None:
    first, second = Wire(PLAIN, PLAIN), Wire(PLAIN)
    asking = client(first, second, connections=2)
    for _ in range(3):
        asking.ask(b"x")
    assert (first.sent, second.sent) == (b"xx", b"x")


@pytest.mark.parametrize("end", [b"", ConnectionResetError("reset"), BrokenPipeError("gone")], ids=repr)
def test_a_connection_that_was_closed_while_idle_is_no_failure_and_one_lost_in_use_is(
    end: bytes | OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    for connections in (1, None):
        lost = Wire(PLAIN, end)
        asking = client(lost, Wire(PLAIN), connections=connections)
        asking.ask(b"x")
        with pytest.raises(lean.Unanswered):
            asking.ask(b"x")
        assert lost.closed
        assert asking.ask(b"x").body == BODY
    monkeypatch.setattr(lean, "IDLE_S", 0.0)
    asking = client(Wire(PLAIN, end), Wire(PLAIN))
    asking.ask(b"x")
    assert asking.ask(b"x").body == BODY
    assert asking.opened == 2


def test_the_time_of_both_tries_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(float(second) for second in range(1, 9))
    monkeypatch.setattr("loadtests.inside.lean.time.perf_counter", lambda: next(clock))
    asking = client(Wire(PLAIN, b""), Wire(PLAIN))
    first = asking.ask(b"x")
    assert (first.began, first.answered) == (1, 2)
    again = asking.ask(b"x")
    assert (again.began, again.answered) == (3, 4)


def test_a_connection_that_is_reset_in_the_middle_of_an_answer_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean, "IDLE_S", 0.0)
    asking = client(Wire(PLAIN, PLAIN[:20], ConnectionResetError("reset")), Wire(PLAIN))
    asking.ask(b"x")
    with pytest.raises(ConnectionResetError, match="reset"):
        asking.ask(b"x")
    assert asking.opened == 1


def test_what_comes_before_an_answer_is_passed_over() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    for pieces in ((early + PLAIN,), (early, PLAIN), (early[:-2], early[-2:] + PLAIN)):
        reply = client(Wire(*pieces)).ask(b"x")
        assert (reply.status, reply.body, reply.headers["x-kept"]) == (200, BODY, "Yes")


def test_a_coding_is_known_however_its_field_is_spaced() -> None:
    assert client(Wire(CHUNKED.replace(b": chunked", b":Chunked"))).ask(b"x").body == BODY


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",),
        (PLAIN[:-3], b""),
        (PLAIN[:20], b""),
        (b"SSH-2.0-OpenSSH\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nHello\r\n0\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nHello",),
        (b"FTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n",),
        (PLAIN + b"more",),
    ],
    ids=[
        "nothing",
        "cut body",
        "cut head",
        "no HTTP",
        "no length",
        "no chunk",
        "negative chunk",
        "negative length",
        "another protocol",
        "more than was said",
    ],
)
def test_what_is_no_whole_answer_is_an_error(pieces: tuple[bytes, ...]) -> None:
    wire = Wire(*pieces)
    with pytest.raises(OSError):  # noqa: PT011 - any, since the caller counts all of them as failures
        client(wire).ask(b"x")
    assert wire.closed


def test_an_answer_without_a_body_is_not_waited_for() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n"
    assert client(Wire(head)).ask(b"HEAD / HTTP/1.1\r\n\r\n").body == b""
    assert client(Wire(b"HTTP/1.1 204 No Content\r\n\r\n")).ask(b"x").body == b""


def test_a_request_and_the_headers_of_its_answer() -> None:
    case = Case(
        endpoint="e", method="POST", target="/echo?a=b", body=b"xyz", content_type="t", answer=b"",
        request_headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    assert lean.request_bytes(case, 81) == (
        b"POST /echo?a=b HTTP/1.1\r\nHost: 127.0.0.1:81\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Length: 3\r\n\r\nxyz"
    )
    assert lean.headers_of(PLAIN.partition(b"\r\n\r\n")[0]) == {
        "content-type": "text/html", "content-length": "13", "x-kept": "Yes",
    }  # fmt: skip


def test_a_connector_hands_out_as_many_sockets_as_it_is_asked_for() -> None:
    mine, theirs = socket.socketpair()
    # Of another family, since a unit test opens no network socket.
    thread = threading.Thread(target=connector.hand_out, args=(theirs, lambda: socket.socket(socket.AF_UNIX)))
    thread.start()
    with mine:
        for wanted in (3, 1):
            mine.sendall(bytes([wanted]))
            _, handed, _, _ = socket.recv_fds(mine, 1, 64)
            assert len(handed) == wanted
            for descriptor in handed:
                socket.socket(fileno=descriptor).close()
    thread.join(timeout=5)
    theirs.close()
    assert not thread.is_alive()


def test_a_connector_that_is_gone_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = socket.socketpair()
    monkeypatch.setattr(stock, "_door", lambda path, deadline: mine)
    asked = Stock("a", 1.0)
    theirs.close()
    with mine, pytest.raises((Malformed, BrokenPipeError)):
        asked.take()
