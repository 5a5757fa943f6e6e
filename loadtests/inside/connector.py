"""Owns a namespace, and hands its sockets out: whoever asks for so many gets them through a Unix socket, unconnected.

A socket belongs for ever to the namespace that it was made in. So one generator outside of all of them can connect them
itself, in its own time, and no helper stands between it and the server: setting a connection up costs both sides of a
comparison alike, and nothing is open before it is wanted.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from loadtests.inside.slice_orders import SIDE_VARIABLE, SIDES, socket_path


def main() -> None:
    """Serve one generator after the other, for ever: the host kills the container."""
    path = socket_path(os.environ.get(SIDE_VARIABLE, SIDES[0]))
    with socket.socket(socket.AF_UNIX) as door:
        Path(path).unlink(missing_ok=True)
        door.bind(path)
        door.listen()
        while True:
            generator, _ = door.accept()
            with generator:
                hand_out(generator)


def hand_out(generator: socket.socket, make: Callable[[], socket.socket] = socket.socket) -> None:
    """Answer each byte that comes with as many sockets as it says, until the other end is gone."""
    while wanted := generator.recv(1):
        made = [make() for _ in range(wanted[0])]
        try:
            socket.send_fds(generator, [wanted], [one.fileno() for one in made])
        finally:
            for one in made:
                one.close()


if __name__ == "__main__":
    main()
