"""What one trial's generator is told to do: JSON in the environment, from the host to the container."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Self

VARIABLE = "SEATRIAL_ORDERS"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a container of the generator's image is told through its environment."""

    def to_json(self) -> str:
        """Return the orders as the container's variable holds them."""
        return json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> Self:
        """Read the orders; without any, those by default."""
        return cls(**json.loads(os.environ.get(VARIABLE, "{}")))


@dataclass(frozen=True, kw_only=True)
class Orders(Told):
    """One trial, as the generator sees it. Times in seconds."""

    model: str = "closed"
    """`closed`: `users` that ask without a pause; `open`: `rate` arrivals a second."""
    port: int = 5000
    target_cpus: str = "0"
    """The target's cores, as the engine takes them."""
    users: int = 8
    rate: float | None = None
    arrivals: str = "constant"
    journeys: dict[str, int] = field(default_factory=dict)
    """Endpoint -> weight; empty: the contract's own mix."""
    warmup_s: float = 1.0
    measure_s: float = 5.0
    ready_timeout_s: float = 30.0
    request_timeout_s: float = 10.0
    sample_share: float = 0.05
    seed: int = 0
    lowest_us: int = 1
    highest_us: int = 3_600_000_000
    significant_digits: int = 3
    processes: int = 1
    """Locust processes that share the users, or the arrivals."""
