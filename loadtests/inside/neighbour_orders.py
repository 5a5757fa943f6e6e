"""What one neighbour is told to do: JSON in the environment, from the host to the container."""

from __future__ import annotations

from dataclasses import dataclass

from loadtests.inside.orders import Told


@dataclass(frozen=True, kw_only=True)
class NeighbourOrders(Told):
    """One neighbour, as its program sees it; every number is a ceiling of the harness's own."""

    kind: str
    """A `NeighbourKind`'s name, in lower case: `cpu`, `page_cache`."""
    seconds: float
    """How long it may be at it."""
    wait_s: float
    """How long it waits to be told to begin."""
    memory_bytes: int
    processes: int
    busy_processes: int
    sockets: int
    file_bytes: int
    written_bytes: int
    """In all, spread over `seconds`."""
    connections: int
    port: int
    """Where the victim listens, in its own namespace."""
