"""One trial: one fresh container of one variant under load, once, followed from its start to its removal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Protocol

from harness import histograms
from harness.engine.client import Container, ContainerSpec, ContainerState, Engine
from harness.engine.labels import Role
from harness.errors import SeatrialError
from loadtests import peak_memory
from loadtests.events import Events
from loadtests.inside.orders import Orders
from loadtests.judging import Measured, Order, judged
from loadtests.seen import Reading, Seen
from loadtests.setting import Setting

MEMORY_INTERVAL_S = 0.25
WATCH_S = 0.5
SLACK_S = 30.0
"""What a trial may take beyond its own times: starting Locust, the examinations, the engine."""

StartContainer = Callable[[ContainerSpec], Container]


class Beside(Protocol):
    """What is there beside a target while it is measured."""

    def start(self, start: StartContainer, namespace: str) -> None:
        """Start what it needs, before the target is; `namespace` is the target's network."""

    def saw(self, event: str) -> None:
        """Learn of the trial's course: `warm-up`, `measure-begin`, `measure-end` among others."""

    def end(self) -> None:
        """Take what there is to know, before all containers are removed."""


def run(order: Order, setting: Setting, engine: Engine, *, beside: Beside | None = None) -> Measured:
    """Run one trial from fresh containers to their removal.

    Args:
        order: which trial.
        setting: how it is made.
        engine: where.
        beside: what is there beside the target; nothing, if None.

    Raises:
        SeatrialError: the engine failed. What the target did wrong is no error, but a broken guard.

    """
    started_at = datetime.now(UTC)
    orders = orders_of(order, setting)
    with containers(engine) as start:
        pause = start(setting.pause())
        namespace = f"container:{pause.id}"
        # The generator first: it takes a second to import Locust, which the target's own start need not wait for.
        generator = start(setting.inside(Role.GENERATOR, "driver", orders, namespace))
        events = Events(engine.follow(generator))
        if beside is not None:
            beside.start(start, namespace)
        while not events.over and (first := events.next(SLACK_S)) is not None and first["event"] != "waiting":
            pass
        target = start(setting.target(order.image, namespace))
        seen = _watch(events, engine, target, setting, beside)
        if beside is not None:
            beside.end()
        seen.state = engine.state(target)
        if seen.state.running and seen.end is not None and seen.end.stats.peak_bytes is None:
            seen.peak_bytes = peak_memory.read(engine, target, setting)
        seen.log = engine.logs(target)
        seen.generator_log = engine.logs(generator, stdout=False)
    return judged(order, setting, seen, started_at=started_at)


@contextmanager
def containers(engine: Engine) -> Iterator[StartContainer]:
    """Lend a function that starts containers; all of them are killed and removed together at the end, come what may."""
    made: list[Container] = []

    def start(spec: ContainerSpec) -> Container:
        made.append(engine.start(spec))
        return made[-1]

    try:
        yield start
    finally:
        if made:
            with ThreadPoolExecutor(max_workers=len(made)) as pool:
                list(pool.map(engine.remove, made))


def orders_of(order: Order, setting: Setting) -> Orders:
    """Return what the generator of a trial is told."""
    profile = setting.load_profile
    processes = setting.cores.generator_processes
    return Orders(
        model=order.model,
        port=setting.port,
        target_cpus=setting.cores.target,
        users=profile.users or 1,
        rate=profile.rate,
        arrivals=profile.arrivals,
        journeys=dict(profile.journeys),
        warmup_s=profile.warmup_s,
        measure_s=profile.measure_s,
        ready_timeout_s=profile.ready_timeout_s,
        request_timeout_s=profile.request_timeout_s,
        sample_share=profile.sample_share,
        seed=order.seed,
        lowest_us=histograms.LOWEST_US,
        highest_us=histograms.HIGHEST_US,
        significant_digits=histograms.SIGNIFICANT_DIGITS,
        processes=processes if order.model == "open" else min(processes, profile.users or 1),
    )


def _watch(events: Events, engine: Engine, target: Container, setting: Setting, beside: Beside | None) -> Seen:
    """Follow the generator to its end, reading the target's cgroup at the window's edges and in between."""
    profile = setting.load_profile
    seen = Seen()
    allowed = profile.ready_timeout_s + profile.warmup_s + profile.measure_s + 4 * profile.request_timeout_s + SLACK_S
    deadline = time.monotonic() + allowed
    stop = threading.Event()
    sampler = threading.Thread(target=_sample, args=(engine, target, seen.memory, stop), daemon=True)
    try:
        while not events.over:
            event = events.next(WATCH_S)
            if time.monotonic() > deadline:
                seen.timed_out = f"The trial was not over after {allowed:g} s."
                break
            if event is None:
                # A target that ended before its first answer will not give one.
                if "ready" not in seen.events and not _may_come(engine.state(target)):
                    break
                continue
            if event["event"] == "so-far":
                if setting.live is not None and event["seconds"] > 0:
                    setting.live(event["answers"] / event["seconds"])
                continue
            name = str(event["when"] if event["event"] == "contract" else event["event"])
            seen.events[name] = event
            if beside is not None:
                beside.saw(name)
            if name == "measure-begin":
                seen.begin = _reading(engine, target)
                sampler.start()
            elif name == "measure-end":
                seen.ended_at = time.monotonic()
                stop.set()
                seen.end = _reading(engine, target)
            elif name == "result":
                break
    finally:
        stop.set()
        if sampler.ident is not None:
            sampler.join()
    return seen


def _may_come(state: ContainerState) -> bool:
    return state.running or state.restarts > 0


def _reading(engine: Engine, target: Container) -> Reading | None:
    # A container that has just ended has no statistics: its end is told by its state.
    with suppress(SeatrialError):
        # The engine waits for its own next look, and answers right after it.
        stats = engine.stats(target)
        return Reading(at=time.monotonic(), stats=stats)
    return None


def _sample(engine: Engine, target: Container, kept: list[Reading], stop: threading.Event) -> None:
    while not stop.wait(MEMORY_INTERVAL_S):
        reading = _reading(engine, target)
        if reading is not None:
            kept.append(reading)
