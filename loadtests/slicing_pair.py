"""One pair of fresh containers that run at once on one core: started, asked in slices, watched, removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from harness import histograms
from harness.engine.client import Container, ContainerSpec, Engine
from harness.engine.inspection import inspect
from harness.engine.labels import Role
from harness.engine.standard_input import speaking
from harness.engine.volumes import memory_volume
from harness.errors import SeatrialError
from loadtests.events import Events
from loadtests.inside.orders import VARIABLE
from loadtests.inside.slice_orders import HANDOVER, SIDE_VARIABLE, SIDES, SideName, SliceOrders, in_order
from loadtests.seen import Reading, Seen
from loadtests.setting import PORT, Cores
from loadtests.slicing_sides import Side, check_container
from loadtests.trial import StartContainer, containers

GENERATOR_UID = 10001
"""The generator image's own user, whose volume it is."""
WATCH_S = 0.5
SLACK_S = 30.0
TICK_S = 1.0
"""How long the engine rests between two readings of statistics; who asks in between waits for the next."""


@dataclass(frozen=True, kw_only=True)
class PairOrder:
    """Which pair: of what, for how long, in which order."""

    a: Side
    b: Side
    index: int
    attempt: int
    seed: int
    first: SideName
    """Which side is started, connected to and examined first: it is the slower one by some half a percent."""
    orders: SliceOrders


@dataclass
class SeenPair:
    """What the host saw of a pair: of each side what a trial sees, and the generator's last word."""

    started_at: datetime
    sides: dict[str, Seen]
    result: dict[str, Any] = field(default_factory=dict)
    timed_out: str | None = None
    generator_log: str = ""


def run(order: PairOrder, engine: Engine, generator_image: str, cores: Cores) -> SeenPair:
    """Run one pair from fresh containers to their removal.

    Raises:
        UsageError: a container has a CPU limit or other cores.
        SeatrialError: the engine failed. What the targets did wrong is no error, but is seen.

    """
    seen = SeenPair(started_at=datetime.now(UTC), sides={name: Seen() for name in SIDES})
    orders = replace(
        order.orders,
        seed=order.seed,
        first=order.first,
        port=PORT,
        lowest_us=histograms.LOWEST_US,
        highest_us=histograms.HIGHEST_US,
        significant_digits=histograms.SIGNIFICANT_DIGITS,
    )
    with memory_volume(engine, Role.GENERATOR, uid=GENERATOR_UID) as volume, containers(engine) as start:
        own = _Own(generator_image, cores, volume)
        namespaces = _connectors(own, in_order(order.first), start)
        generator = start(replace(own.spec("slicer", Role.GENERATOR, {VARIABLE: orders.to_json()}), stdin=True))
        events = Events(engine.follow(generator))
        targets: dict[str, Container] = {}
        for name in in_order(order.first):
            side = order.a if name == "a" else order.b
            targets[name] = start(side.spec(namespaces[name], cores))
            check_container(name.upper(), inspect(engine, targets[name]), cores)
        with speaking(engine, generator) as tell, _Meters(engine, targets) as meters:
            _watch(seen, events, meters, orders, tell)
        for name, target in targets.items():
            seen.sides[name].state = engine.state(target)
            seen.sides[name].log = engine.logs(target)
        seen.generator_log = engine.logs(generator, stdout=False)
    return seen


@dataclass(frozen=True)
class _Own:
    """The containers of the generator's image: no network of the machine's, locked down, one volume in common."""

    image: str
    cores: Cores
    volume: str

    def spec(self, module: str, role: Role, env: dict[str, str]) -> ContainerSpec:
        return ContainerSpec(
            image=self.image,
            role=role,
            command=["-m", f"loadtests.inside.{module}"],
            network="none",
            cpuset=self.cores.generator,
            env=env,
            volumes={self.volume: {"bind": HANDOVER, "mode": "rw"}},
        )


def _connectors(own: _Own, names: Sequence[str], start: StartContainer) -> dict[str, str]:
    """Start the two that own the targets' namespaces; return those, as a joiner names them."""
    specs = [own.spec("connector", Role.PAUSE, {SIDE_VARIABLE: name}) for name in names]
    with ThreadPoolExecutor(max_workers=len(specs)) as pool:
        made = list(pool.map(start, specs))
    return {name: f"container:{one.id}" for name, one in zip(names, made, strict=True)}


class _Meters:
    """Reads both targets' cgroups by the engine, in one of its ticks, so that neither waits for the next."""

    def __init__(self, engine: Engine, targets: dict[str, Container]) -> None:
        self.engine = engine
        self.targets = targets
        self._pool = ThreadPoolExecutor(max_workers=1 + len(targets))

    def __enter__(self) -> _Meters:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def prepare(self) -> None:
        """Begin a tick: readings asked for within `TICK_S` come together, at the next one."""
        self._pool.submit(self._read, next(iter(self.targets.values())))

    def read(self) -> dict[str, Reading | None]:
        """Return both sides' readings; None for a container that has ended."""
        return dict(zip(self.targets, self._pool.map(self._read, self.targets.values()), strict=True))

    def ended(self) -> list[str]:
        """Return the sides whose container is no more, and will not come again."""
        states = {name: self.engine.state(target) for name, target in self.targets.items()}
        return [name for name, state in states.items() if not state.running and not state.restarts]

    def _read(self, target: Container) -> Reading | None:
        # A container that has just ended has no statistics: its end is told by its state.
        try:
            stats = self.engine.stats(target)
        except SeatrialError:
            return None
        return Reading(at=time.monotonic(), stats=stats)


def _watch(seen: SeenPair, events: Events, meters: _Meters, orders: SliceOrders, tell: Callable[[str], None]) -> None:
    """Follow the generator to its end, reading both cgroups while it asks nothing at the measured time's ends."""
    allowed = orders.ready_timeout_s + orders.warmup_s + orders.measure_s + 4 * orders.request_timeout_s + SLACK_S
    deadline = time.monotonic() + allowed
    nearly_over = deadline
    ready: set[str] = set()
    while not events.over:
        event = events.next(min(WATCH_S, max(0.0, nearly_over - time.monotonic())))
        if time.monotonic() > deadline:
            seen.timed_out = f"The pair was not over after {allowed:g} s."
            return
        if time.monotonic() > nearly_over:
            meters.prepare()
            nearly_over = deadline
        if event is None:
            # A target that ended before its first answer will not give one.
            if any(name not in ready for name in meters.ended()):
                return
            continue
        match event["event"]:
            case "ready":
                ready.add(event["side"])
                seen.sides[event["side"]].events["ready"] = event
            case "contract":
                seen.sides[event["side"]].events[event["when"]] = event
                if event["when"] == "before" and event["side"] == orders.first:
                    meters.prepare()
            case "measure-begin":
                for name, reading in meters.read().items():
                    seen.sides[name].begin = reading
                nearly_over = time.monotonic() + orders.measure_s - 0.8 * TICK_S
                tell("go on")
            case "measure-end":
                for name, reading in meters.read().items():
                    seen.sides[name].end = reading
                tell("go on")
            case "result":
                seen.result = event
                return
