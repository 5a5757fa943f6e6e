"""What a neighbour does to a machine, one function a kind: each goes on until it is killed, within its ceilings.

Whoever meets a limit waits a moment and tries again, as a program does that nobody looks after. Each ceiling of the
harness's own that is met is noted as such.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from loadtests import contract
from loadtests.inside.neighbour_notes import Notes
from loadtests.inside.neighbour_orders import NeighbourOrders

PAUSE_S = 0.1
STEP = 8 << 20
CHUNK = 1 << 20
SYNCED_BYTES = 8 << 20
FILL = b"\xa5" * 16384
PLACES = (Path("/var/tmp"), Path("/tmp"))  # noqa: S108 - in a container of its own
BY_MEMORY = {errno.ENOMEM: "memory", errno.ENOBUFS: "memory"}
BY_DISK = {errno.ENOSPC: "disk", errno.EROFS: "disk", errno.EDQUOT: "disk"}
HOST = "127.0.0.1"
REQUEST_TIMEOUT_S = 2.0
TOLD_EACH_S = 0.1
CAP = ("harness", "its own ceiling")


def cpu(orders: NeighbourOrders, notes: Notes) -> None:
    """Keep several processes busy."""
    notes.most("busy processes", orders.busy_processes)
    for _ in range(orders.busy_processes - 1):
        if os.fork() == 0:
            break
    while True:
        pass


def memory(orders: NeighbourOrders, notes: Notes) -> None:
    """Allocate memory and write to all of it; let go at the ceiling, and begin again."""
    while True:
        held: list[bytes] = []
        try:
            while len(held) < orders.memory_bytes // STEP:
                # Written to, since the kernel gives no page before.
                held.append(b"\xa5" * STEP)
                notes.most("bytes held", len(held) * STEP)
            notes.stopped(*CAP)
        except MemoryError:
            held.clear()
            notes.stopped("memory", "ENOMEM")
            time.sleep(PAUSE_S)


def fork(orders: NeighbourOrders, notes: Notes) -> None:
    """Fork children that wait; end all of them, and begin again."""
    while True:
        children: list[int] = []
        try:
            while len(children) < orders.processes:
                child = os.fork()
                if child == 0:
                    signal.pause()
                    os._exit(0)
                children.append(child)
                notes.most("processes at once", len(children) + 1)
            notes.stopped(*CAP)
        except OSError as error:
            notes.refused({errno.EAGAIN: "pids", **BY_MEMORY}, error)
            time.sleep(PAUSE_S)
        notes.add("processes", len(children))
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def disk(orders: NeighbourOrders, notes: Notes) -> None:
    """Write files and have them put on the disk, no faster than the ceiling allows over the whole time."""
    began, written, chunk = time.monotonic(), 0, b"\xa5" * CHUNK
    while True:
        for place in PLACES:
            try:
                with _gone(place) as file:
                    for at in range(0, orders.file_bytes, CHUNK):
                        while written > orders.written_bytes * (time.monotonic() - began) / orders.seconds:
                            time.sleep(0.001)
                        done = os.write(file.fileno(), chunk)
                        written += done
                        notes.add("bytes written", done)
                        if at % SYNCED_BYTES == 0:
                            os.fdatasync(file.fileno())
            except OSError as error:
                notes.refused(BY_DISK, error)
                time.sleep(PAUSE_S)


def page_cache(orders: NeighbourOrders, notes: Notes) -> None:
    """Read files that are all hole: the kernel keeps a page of each in its cache, and the disk has nothing to do.

    Where no file can be made on the root file system, the files of the image are read again and again.
    """
    root = Path("/").stat().st_dev
    # A hole in a file in memory has no page.
    places = [place for place in PLACES if place.is_dir() and place.stat().st_dev == root]
    buffer = memoryview(bytearray(CHUNK))
    while True:
        try:
            for place in places:
                with _gone(place) as file:
                    os.ftruncate(file.fileno(), orders.memory_bytes)
                    while got := os.readv(file.fileno(), [buffer]):
                        notes.add("bytes read", got)
        except OSError as error:
            notes.refused(BY_DISK, error)
            _read_image(buffer, notes)


def sockets(orders: NeighbourOrders, notes: Notes) -> None:
    """Open connections to itself with something in their buffers; close all of them, and begin again."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with socket.create_server((HOST, 0), backlog=128) as server:
        while True:
            held: list[socket.socket] = []
            try:
                while len(held) < orders.sockets:
                    near = socket.socket()
                    held.append(near)
                    near.connect(server.getsockname())
                    held.append(server.accept()[0])
                    near.setblocking(False)
                    near.send(FILL)
                    notes.most("sockets at once", len(held))
                notes.stopped(*CAP)
            except OSError as error:
                notes.refused({errno.EMFILE: "files", **BY_MEMORY}, error)
                time.sleep(PAUSE_S)
            notes.add("sockets", len(held))
            for one in held:
                # Reset, so that none of them stays behind in TIME_WAIT.
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.close()
            _refuse_waiting(server)


def flood(orders: NeighbourOrders, notes: Notes) -> None:
    """Send the victim requests over many connections, each as soon as the last was answered."""
    case = contract.case(contract.READY, Random(0))  # noqa: S311 - no secret
    body = case.body or b""
    headers = {
        "Host": f"{HOST}:{orders.port}",
        **case.request_headers,
        **({"Content-Length": len(body)} if body else {}),
    }
    lines = [f"{case.method} {case.target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    request = "\r\n".join([*lines, "", ""]).encode() + body
    for _ in range(orders.connections - 1):
        threading.Thread(target=_ask, args=(orders.port, request, notes), daemon=True).start()
    notes.most("connections at once", orders.connections)
    _ask(orders.port, request, notes)


def _ask(port: int, request: bytes, notes: Notes) -> None:
    while True:
        answered, began = 0, time.monotonic()
        try:
            with socket.create_connection((HOST, port), timeout=REQUEST_TIMEOUT_S) as one:
                one.sendall(request)
                while one.recv(65536):
                    answered += 1
                    one.sendall(request)
                    if time.monotonic() > began + TOLD_EACH_S:
                        notes.add("requests answered", answered)
                        answered, began = 0, time.monotonic()
        except TimeoutError:
            notes.stopped("victim", "no answer in time")
        except OSError as error:
            if not answered:
                notes.refused({errno.ECONNREFUSED: "network", errno.ENETUNREACH: "network"}, error)
                time.sleep(PAUSE_S)
        if answered:
            notes.add("requests answered", answered)


def _gone(place: Path) -> _Gone:
    return _Gone(place / f".seatrial-{os.getpid()}")


class _Gone:
    """A new file that is gone from its folder at once, so that its bytes are freed however the neighbour ends."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        path.unlink()

    def fileno(self) -> int:
        return self._file

    def __enter__(self) -> _Gone:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)


def _read_image(buffer: memoryview, notes: Notes) -> None:
    for folder, _, names in os.walk("/usr"):
        for name in names:
            try:
                file = os.open(Path(folder) / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            try:
                while got := os.readv(file, [buffer]):
                    notes.add("bytes of the image read", got)
            except OSError:
                continue
            finally:
                os.close(file)


def _refuse_waiting(server: socket.socket) -> None:
    """Close the connections that were made when there was no descriptor left to accept them."""
    server.setblocking(False)
    with suppress(OSError):
        while True:
            server.accept()[0].close()
    server.setblocking(True)


KINDS: dict[str, Callable[[NeighbourOrders, Notes], None]] = {
    kind.__name__: kind for kind in (cpu, memory, fork, disk, page_cache, sockets, flood)
}
