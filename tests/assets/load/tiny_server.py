"""A server that keeps the tiny contract, until it is told not to: `python3 -c SOURCE FAULT AFTER_SECONDS`.

The seconds count from the second request for `/loaded`, which the load begins with: the first asks whether it is up.
"""

import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULT, AFTER_S = sys.argv[1], float(sys.argv[2])
seen = 0
loaded_at = None
hoard = []
for_ever = threading.Event()
one_at_a_time = threading.Lock()
asked = 0


def drain(*_):
    """Take no new connection, answer what was asked, and end."""
    server.socket.close()
    deadline = time.monotonic() + 2
    while asked and time.monotonic() < deadline:
        time.sleep(0.01)
    os._exit(0)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        global asked
        asked += 1
        try:
            self.answer()
        finally:
            asked -= 1

    def answer(self):
        global seen, loaded_at
        seen += self.path.startswith("/loaded")
        if seen == 2 and loaded_at is None:
            loaded_at = time.monotonic()
        # Work, so that the server is what limits the load, and not its generator.
        sum(range(20_000))
        due = loaded_at is not None and time.monotonic() - loaded_at > AFTER_S
        number = 2 * int(self.path.partition("n=")[2])
        status = 200
        if FAULT == "constant":
            number = 4
        if FAULT == "queues":
            with one_at_a_time:
                time.sleep(0.01)
        if due and FAULT == "lies":
            number += 1
        if due and FAULT == "dies":
            print("tiny server: giving up", flush=True)
            os._exit(3)
        if due and FAULT == "hoards":
            hoard.append(bytearray(b"x") * (8 << 20))
        if FAULT == "leaks":
            hoard.append(b"%d" % seen * 4000)
        if due and FAULT == "hangs":
            for_ever.wait()
        if due and FAULT == "stalls" and not hoard:
            hoard.append(1)
            time.sleep(0.2)
        if due and FAULT == "fails" and self.path.startswith("/loaded") and seen % 20 == 0:
            status = 500
        if FAULT == "fails early" and seen > 5:
            status = 500
        body = str(number).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if FAULT == "refuses to start":
    sys.exit("tiny server: no such setting")
ThreadingHTTPServer.daemon_threads = True
server = ThreadingHTTPServer((os.environ.get("BIND", "127.0.0.1"), int(os.environ["PORT"])), Handler)
if FAULT == "drains":
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=drain).start())
if FAULT == "drops":
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
server.serve_forever()
