"""What the sliced comparison's generator is told to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from loadtests.inside.orders import Told

HANDOVER = "/handover"
"""Where the shared volume is mounted."""
SideName = Literal["a", "b"]
SIDES = ("a", "b")
SIDE_VARIABLE = "SEATRIAL_SIDE"


def socket_path(side: str) -> str:
    """Return where a side's connector listens."""
    return f"{HANDOVER}/{side}.sock"


def in_order(first: SideName) -> tuple[str, ...]:
    """Return both sides, this one first."""
    return tuple(sorted(SIDES, key=lambda side: side != first))


@dataclass(frozen=True, kw_only=True)
class SliceOrders(Told):
    """One pair of containers, as the generator sees it. Times in seconds."""

    port: int = 5000
    first: SideName = "a"
    """Which side comes first in all that has an order before the slices."""
    endpoints: dict[str, int] = field(default_factory=dict)
    """Endpoint -> weight; empty: the contract's `READY` alone."""
    connections: int = 1
    """Connections that are kept to each side, and used in turn; never two at once."""
    slice_s: float = 0.02
    warmup_s: float = 0.5
    measure_s: float = 5.0
    """Of both sides together."""
    ready_timeout_s: float = 30.0
    request_timeout_s: float = 10.0
    sample_share: float = 0.02
    """Share of the answers whose headers are compared too; status and body are of every one."""
    seed: int = 0
    lowest_us: int = 1
    highest_us: int = 3_600_000_000
    significant_digits: int = 3
