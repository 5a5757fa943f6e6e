"""Requests to the app under attack: raw bytes over one connection each, to the container's own loopback."""

from __future__ import annotations

import re
import socket
import time

from security.inside.kit import Kit

LOOPBACK = "127.0.0.1"
MOST_BYTES = 256 * 1024
FIRST_S = 10.0
QUICK_S = 0.05
MOST_PATIENCE = 8.0


class Answer:
    """What one connection gave back. `status` is 0 where there was no HTTP answer."""

    def __init__(self, raw: bytes, seconds: float, closed: bool, error: str) -> None:
        self.raw = raw
        self.seconds = seconds
        self.closed = closed
        """Whether the server closed the connection."""
        self.error = error
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split()
        self.status = int(words[1]) if len(words) > 1 and words[0].startswith("HTTP/") and words[1].isdigit() else 0
        self.headers: dict[str, str] = {}
        """Lower-case name -> value; the values of a name that comes twice are joined by a comma."""
        for name, _, value in (line.partition(":") for line in lines[1:]):
            key = name.strip().lower()
            self.headers[key] = ", ".join(part for part in (self.headers.get(key, ""), value.strip()) if part)
        self.body = body

    def text(self) -> str:
        """Return the body as text."""
        return self.body.decode("utf-8", "replace")

    def statuses(self) -> list[int]:
        """Return the status of every HTTP answer that came over the connection."""
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", self.raw)]


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """Return a request's bytes, with Host, and Connection: close."""
    lines = [method + " " + path + " HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    if body:
        lines.append("Content-Length: " + str(len(body)))
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def exchange(kit: Kit, raw: bytes, wait_s: float = 2.0) -> Answer:
    """Send bytes over a connection of its own, and read until the server closes it or `wait_s` are over.

    The time is that of a machine that is idle: see `patience`.
    """
    wait_s *= patience(kit)
    began = time.monotonic()
    got, closed, trouble = b"", False, ""
    try:
        with socket.create_connection((LOOPBACK, kit.facts["port"]), timeout=wait_s) as one:
            one.sendall(raw)
            while len(got) < MOST_BYTES:
                one.settimeout(max(0.05, wait_s - (time.monotonic() - began)))
                part = one.recv(65536)
                if not part:
                    closed = True
                    break
                got += part
    except OSError as error:
        trouble = type(error).__name__
        closed = isinstance(error, ConnectionError)
    return Answer(got, time.monotonic() - began, closed, trouble)


def patience(kit: Kit) -> float:
    """Return by how much to wait longer than on an idle machine, where a plain answer is quick."""
    return min(MOST_PATIENCE, max(1.0, float(kit.facts.get("answered_s", 0.0)) / QUICK_S))


def app_answers(kit: Kit) -> bool:
    """Whether the app answers `/` at all; where not, that is recorded."""
    if not kit.facts.get("port"):
        kit.absent("GET /", "it is not known on which port the app listens")
        return False
    answer = exchange(kit, request("GET", "/"), FIRST_S)
    kit.facts["answered_s"] = answer.seconds
    if not answer.status:
        kit.absent("GET /", "nothing answers on port " + str(kit.facts["port"]) + ": " + answer.error)
    return bool(answer.status)
