"""Ask /healthz on the loopback and exit with 0 for a 200: `python -I -S healthcheck.py` needs no shell and no curl.

A bare socket, since importing urllib costs more CPU than all else that the check does.
"""

from __future__ import annotations

import os
import socket
import sys

TIMEOUT_S = 2.0


def healthy(port: int) -> bool:
    """Return whether the app on this machine's `port` answers with 200 in time."""
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return connection.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not healthy(int(os.environ.get("PORT") or "5000")))
