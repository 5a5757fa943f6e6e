"""Ports that are free on the loopback of the engine's machine, as a container on its network finds them."""

from __future__ import annotations

import json

from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import UnreadableOutput

TIMEOUT_S = 60.0
ASK = """
import json, socket
held = [socket.socket() for _ in range({count})]
for one in held:
    one.bind(("127.0.0.1", 0))
print(json.dumps([one.getsockname()[1] for one in held]))
"""


def free_ports(engine: Engine, generator_image: str, count: int) -> list[int]:
    """Return ports that nothing was bound to a moment ago.

    Raises:
        UnreadableOutput: the container did not tell.
        SeatrialError: the engine starts no container on its machine's network.

    """
    spec = ContainerSpec(
        image=generator_image, role=Role.INSPECTOR, command=["-c", ASK.format(count=count)], network="host"
    )
    code, out, said = engine.run_to_end(spec, timeout_s=TIMEOUT_S)
    try:
        found = [int(port) for port in json.loads(out)]
    except (TypeError, ValueError):
        found = []
    if code or len(found) != count:
        raise UnreadableOutput(f"A container on the host's network could not find free ports: {said.strip()[-200:]}")
    return found
