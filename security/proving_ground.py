"""What network probes aim at: a neighbour on a network of the run's own, and a stand-in for the machine's loopback."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from harness.engine import networks
from harness.engine.client import Container, ContainerSpec, Engine
from harness.engine.labels import Role
from harness.engine.run_profiles import OWN
from harness.errors import NoValidMeasurement

NEIGHBOUR_PORT = 18080
LOOPBACK_PORT = 18081
READY = "ready"
READY_WITHIN_S = 20.0

LISTENER = """
import os, socket, struct, sys, threading
word = os.environ["WORD"].encode()

def own_address(address):
    import fcntl
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for request, value in ((0x8916, address), (0x891C, "255.255.255.255")):
            packed = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(one, request, packed)

def serve(listener):
    while True:
        client, _ = listener.accept()
        with client:
            client.sendall(word)

for number, place in enumerate(sys.argv[1:]):
    address, _, port = place.rpartition(":")
    if address.startswith("169.254."):
        own_address(address)
    listener = socket.create_server((address, int(port)))
    threading.Thread(target=serve, args=(listener,)).start()
print("ready", flush=True)
"""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the run put up for network probes to reach."""

    network: str
    """The internal network's name."""
    neighbour_address: str
    neighbour_port: int
    stand_in: str
    """Id of the container whose network namespace stands for the machine's; a weak container may join it."""
    loopback_port: int
    word: str
    """What every listener answers, so that nothing else is taken for it."""


@contextmanager
def proving_ground(engine: Engine, image: str) -> Iterator[Ground]:
    """Put up the neighbour and the stand-in for the length of a block, from an image that has Python.

    The stand-in listens on its own loopback and, on an address that only its namespace knows, as a cloud's metadata
    service would.

    Raises:
        NoValidMeasurement: a listener did not come up.

    """
    word = secrets.token_hex(8)
    with ExitStack() as stack:
        network = stack.enter_context(networks.internal_network(engine, Role.PROBE))
        neighbour = stack.enter_context(
            engine.running(_listener(image, word, f"0.0.0.0:{NEIGHBOUR_PORT}", network=network))
        )
        places = (f"127.0.0.1:{LOOPBACK_PORT}", "169.254.169.254:80")
        stand_in = stack.enter_context(engine.running(_listener(image, word, *places, network="none", admin=True)))
        for container in (neighbour, stand_in):
            _wait(engine, container)
        yield Ground(
            network=network,
            neighbour_address=networks.address(neighbour, network),
            neighbour_port=NEIGHBOUR_PORT,
            stand_in=str(stand_in.id),
            loopback_port=LOOPBACK_PORT,
            word=word,
        )


def _listener(image: str, word: str, *places: str, network: str, admin: bool = False) -> ContainerSpec:
    # Putting an address on an interface of its own takes root and one capability, in that namespace only.
    change = {"cap_add": ("NET_ADMIN", "NET_BIND_SERVICE"), "user": "0"} if admin else {}
    return ContainerSpec(
        image=image,
        role=Role.PROBE,
        entrypoint=["python3", "-c", LISTENER],
        command=list(places),
        profile=OWN.model_copy(update={"memory_bytes": 128 << 20, "pids_limit": 16, **change}),
        network=network,
        env={"WORD": word},
    )


def _wait(engine: Engine, container: Container) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while READY not in engine.logs(container, stderr=False):
        if time.monotonic() > deadline or not engine.state(container).running:
            said = engine.logs(container).strip().splitlines()[-1:] or ["(it said nothing)"]
            raise NoValidMeasurement(f"A listener for the probes did not come up: {said[0]}")
        time.sleep(0.05)
