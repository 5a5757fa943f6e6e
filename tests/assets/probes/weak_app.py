"""A server that does everything wrong which the app probes look for: one thread, no limits, a debug console, traces."""

import os
import pathlib
import re
import socket
import traceback
import urllib.parse

HOME = b"<html>hello</html>"


def read_request(connection, pending):
    # Bytes would be copied whole with every part: seconds for a large body, and a minute on a busy machine.
    pending = bytearray(pending)
    while b"\r\n\r\n" not in pending:
        part = connection.recv(65536)
        if not part:
            return None, pending
        pending += part
    head, _, rest = pending.partition(b"\r\n\r\n")
    length = re.search(rb"content-length:\s*\+?(\d+)", head, re.IGNORECASE)
    wanted = int(length.group(1)) if length else 0
    while len(rest) < wanted:
        part = connection.recv(65536)
        if not part:
            return None, rest
        rest += part
    return (head.decode("latin-1"), rest[:wanted]), rest[wanted:]


def answer(head):
    method, target = head.split("\r\n")[0].split()[:2]
    override = re.search(r"x-(?:http-)?method(?:-override)?:\s*(\w+)", head, re.IGNORECASE)
    asked = re.search(r"[?&]_method=(\w+)", target)
    method = (override or asked).group(1) if override or asked else method
    path = urllib.parse.unquote(target.partition("?")[0])
    if method == "TRACE":
        return 200, head.encode()
    if method == "DELETE":
        return 204, b""
    if path == "/console":
        return 200, b"<h1>Interactive Console</h1>"
    if path == "/":
        return 200, HOME
    try:
        return 200, pathlib.Path(os.path.normpath("/srv/files/" + path)).read_bytes()
    except Exception:
        return 500, traceback.format_exc().encode()


def serve(port):
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        connection, _ = listener.accept()
        with connection:
            pending = b""
            try:
                while True:
                    request, pending = read_request(connection, pending)
                    if request is None:
                        break
                    status, body = answer(request[0])
                    lines = f"HTTP/1.1 {status} X\r\nServer: Weak/1.2.3 Python/3.13\r\nContent-Length: {len(body)}\r\n"
                    connection.sendall(lines.encode() + b"\r\n" + body)
                    if "connection: close" in request[0].lower():
                        break
            except Exception:  # noqa: S112 - it is weak on purpose, and goes on
                continue


serve(int(os.environ.get("PORT", "5000")))
