"""Requests that no app can answer well, sent from beside a container: errors make system calls of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.engine.client import Container, ContainerSpec, Engine
from harness.engine.labels import Role

TIMEOUT_S = 90.0
SCRIPT = """
import json, socket, sys
port = int(sys.argv[1])
DONE = b"\\r\\n\\r\\n"

def ask(data, read=True, timeout=5):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=timeout) as one:
            one.sendall(data)
            return one.recv(256).decode("latin-1").split("\\r\\n")[0] if read else "left"
    except OSError as error:
        return type(error).__name__

def status(said):
    words = said.split(" ")
    return words[1] if said.startswith("HTTP/") and len(words) > 1 else said if said.endswith("Error") else "closed"

HEAD = b" HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n"
ROOT = b"GET /" + HEAD + b"\\r\\n"
before = status(ask(ROOT, timeout=20))
found = {
    "no such page": status(ask(b"GET /seatrial-no-such-page" + HEAD + b"\\r\\n")),
    "no such method": status(ask(b"SEATRIAL /" + HEAD + b"\\r\\n")),
    "no HTTP": status(ask(b"\\x16\\x03\\x01 seatrial" + DONE)),
    "header too long": status(ask(b"GET /" + HEAD + b"X-Long: " + b"x" * 100000 + DONE)),
    "large body": status(ask(b"POST /" + HEAD + b"Content-Length: 16777216" + DONE + b"x" * 65536)),
    "body cut off": ask(b"POST /" + HEAD + b"Content-Length: 100" + DONE + b"x" * 10, read=False),
    "not a word": ask(b"", read=False),
}
print(json.dumps({"before": before, "after": status(ask(ROOT, timeout=20)), "found": found}))
"""


@dataclass(frozen=True, kw_only=True)
class Rude:
    """What came of them: what was sent -> status, `closed`, or the client's error; and of `GET /` before and after."""

    found: dict[str, str]
    before: str
    after: str

    def like(self, other: Rude) -> bool:
        """Whether `GET /` is answered before and after them as it was another time, and no request fails the app anew.

        Some answer nothing there. Whether a client that is cut off reads an answer or a reset is a matter of moments,
        so only statuses are compared.
        """
        alone = self.before == self.after == other.before and (self.before.isdigit() or self.before == "closed")
        return alone and not any(
            came.startswith("5") and other.found.get(what, "").isdigit() and other.found.get(what) != came
            for what, came in self.found.items()
        )

    def __str__(self) -> str:
        """Say it in a line."""
        told = ", ".join(f"{what}: {came}" for what, came in self.found.items())
        return f"{told}; GET / {self.before} before and {self.after} after"


def send(engine: Engine, target: Container, image: str, port: int) -> Rude:
    """Send them all from a locked-down container beside the target, whose image's Python runs the client.

    Raises:
        EngineRefused: the container did not end.

    """
    spec = ContainerSpec(
        image=image,
        role=Role.PROBE,
        entrypoint=["python3", "-c", SCRIPT],
        command=[str(port)],
        network=f"container:{target.id}",
    )
    code, out, said = engine.run_to_end(spec, timeout_s=TIMEOUT_S)
    try:
        told = json.loads(out)
        return Rude(found=dict(told["found"]), before=str(told["before"]), after=str(told["after"]))
    except (ValueError, KeyError, TypeError):
        last = (said.strip() or "it printed nothing").splitlines()[-1]
        return Rude(found={"the client": f"exit code {code}: {last}"}, before="-", after="-")
