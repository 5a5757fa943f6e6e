"""Sockets for many users in one process: while one waits, the others go on. Leaner than those of gevent.

A connection on the loopback is set up within the call that asks for it, so nothing waits to be told that it is there:
the request follows at once, and the server that takes the connection finds it.
"""

from __future__ import annotations

import _socket
import errno
import os
import socket

from gevent import Timeout, get_hub

from loadtests.inside.polling import Polling

READ, WRITE = 1, 2
"""Events of an event loop's watcher."""


class Fresh:
    """Makes connections of this process's own namespace.

    Args:
        timeout_s: for each wait: connecting, sending, receiving.
        polling: told of each wait; None: the kernel wakes this process for every answer.

    """

    def __init__(self, timeout_s: float, polling: Polling | None = None) -> None:
        self._timeout_s = timeout_s
        self._polling = polling

    def take(self) -> Patient:
        """Return one that is not connected; it is the caller's to connect and close."""
        return Patient(self._timeout_s, self._polling)


class Patient:
    """One connection; every wait gives way to other greenlets, and ends with TimeoutError when it takes too long."""

    __slots__ = ("_polling", "_socket", "_timeout_s")

    def __init__(self, timeout_s: float, polling: Polling | None = None) -> None:
        self._timeout_s = timeout_s
        self._polling = polling
        self._socket = _socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connect(self, address: tuple[str, int]) -> None:
        """Begin to connect; a connection that fails later says so when something is sent.

        Raises:
            OSError: it fails at once.

        """
        error = self._socket.connect_ex(address)
        if error not in (0, errno.EINPROGRESS):
            raise OSError(error, os.strerror(error))

    def sendall(self, data: bytes) -> None:
        """Send all of it. Raises OSError where there is no connection."""
        sent = 0
        while sent < len(data):
            try:
                sent += self._socket.send(data[sent:] if sent else data)
            except BlockingIOError:
                self._wait(WRITE)

    def recv(self, size: int) -> bytes:
        """Return what has come, or wait for it; nothing at the end. Raises OSError where the connection is lost."""
        while True:
            try:
                return self._socket.recv(size)
            except BlockingIOError:
                self._wait(READ)

    def shutdown(self, how: int) -> None:
        """Send or receive no more."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Give the connection up."""
        self._socket.close()

    def _wait(self, event: int) -> None:
        if self._polling is not None:
            self._polling.expect()
        hub = get_hub()
        watcher = hub.loop.io(self._socket.fileno(), event)
        limit = Timeout.start_new(self._timeout_s, TimeoutError("timed out"))
        try:
            hub.wait(watcher)
        finally:
            limit.close()
            watcher.close()
