"""Networks that a run makes for itself: internal, so that nothing on them has a way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import docker.errors

from harness.engine import labels
from harness.engine.client import Container, Engine, told


@contextmanager
def internal_network(engine: Engine, role: labels.Role) -> Iterator[str]:
    """Make a bridge network without an outside route for the length of a block; yield its name."""
    name = engine.new_name(role, "net")
    with told(f"making the network {name}"):
        network = engine.client.networks.create(
            name, driver="bridge", internal=True, labels=labels.of(engine.run_id, role), check_duplicate=True
        )
    try:
        yield name
    finally:
        with suppress(docker.errors.NotFound), told(f"removing the network {name}"):
            network.remove()


@contextmanager
def connected(engine: Engine, container: Container, network: str) -> Iterator[None]:
    """Give a container an interface on one more network for the length of a block."""
    with told(f"connecting {container.name} to {network}"):
        engine.api.connect_container_to_network(str(container.id), network)
    try:
        yield
    finally:
        with suppress(docker.errors.NotFound), told(f"disconnecting {container.name} from {network}"):
            engine.api.disconnect_container_from_network(str(container.id), network, force=True)


def address(container: Container, network: str) -> str:
    """Return a container's IPv4 address on a network; empty where it has none."""
    with told(f"inspecting the container {container.name}"):
        container.reload()
    known = container.attrs["NetworkSettings"]["Networks"].get(network) or {}
    return str(known.get("IPAddress") or "")
