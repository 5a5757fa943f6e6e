"""Sockets of another namespace, handed over by its connector through a Unix socket, before they are needed."""

from __future__ import annotations

import socket
import struct
import time

from loadtests.inside.lean import HOST, Malformed
from loadtests.inside.slice_orders import socket_path

BATCH = 64
"""Sockets in one message; the kernel takes up to 253, and counts those under way against the user's open files."""
STOCK = 256
DOOR_POLL_S = 0.01


class Stock:
    """Sockets of one side's namespace, not yet connected.

    Args:
        side: whose connector hands them out.
        timeout_s: for each connect, send and receive.

    """

    def __init__(self, side: str, timeout_s: float) -> None:
        self._timeout = struct.pack("ll", int(timeout_s), int(timeout_s % 1 * 1e6))
        self._left: list[socket.socket] = []
        self._door = _door(socket_path(side), time.monotonic() + timeout_s)

    def fill(self, least: int = STOCK // 2) -> None:
        """Fetch more where fewer than `least` are left; not to be called while time is taken."""
        while len(self._left) < least:
            self._door.sendall(bytes([BATCH]))
            _, handed, _, _ = socket.recv_fds(self._door, 1, BATCH)
            if not handed:
                raise Malformed("the connector is gone")
            self._left.extend(self._prepared(descriptor) for descriptor in handed)

    def take(self) -> socket.socket:
        """Return one of them; it is the caller's to connect and close."""
        if not self._left:
            self.fill(1)
        return self._left.pop()

    def opened(self, port: int, timeout_s: float) -> socket.socket:
        """Return a connected one with Python's own time limit, as other clients want it."""
        fresh = self.take()
        fresh.settimeout(timeout_s)
        try:
            fresh.connect((HOST, port))
        except OSError:
            fresh.close()
            raise
        return fresh

    @property
    def low(self) -> bool:
        """Whether it is nearly used up."""
        return len(self._left) < 2

    def _prepared(self, descriptor: int) -> socket.socket:
        one = socket.socket(fileno=descriptor)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The kernel's time limits: with Python's own, each receive would be preceded by a poll.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, self._timeout)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, self._timeout)
        return one


def _door(path: str, deadline: float) -> socket.socket:
    """Connect to a connector's socket, which may not be there yet."""
    while True:
        door = socket.socket(socket.AF_UNIX)
        try:
            door.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            door.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(DOOR_POLL_S)
        else:
            return door
