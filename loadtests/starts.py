"""Start-up trials (run command to first correct answer) and graceful stops (SIGTERM to the end)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.engine.client import Container, Engine
from harness.engine.labels import Role
from harness.errors import UnreadableOutput
from harness.model import Image, NotMeasured, StartTrial, StopTrial
from loadtests.events import Events
from loadtests.guards import LOG_LINES, ending
from loadtests.inside.orders import Orders
from loadtests.setting import PORT, Setting
from loadtests.trial import containers

WATCHER_START_S = 60.0
DOWN_S = 30.0
LOOK_S = 0.5
PROMPT_STOP_S = 2.0
"""A container that has not ended by then ignores SIGTERM: it waits for its end without taking any time of the cores."""
SIGKILLED = 137


@dataclass(frozen=True)
class Watched:
    """A namespace with a watcher in it, ready for targets."""

    namespace: str
    events: Events


@contextmanager
def watched(setting: Setting, engine: Engine) -> Iterator[Watched]:
    """Lend a namespace whose watcher is already watching.

    Raises:
        UnreadableOutput: the watcher did not come up.

    """
    with containers(engine) as start:
        pause = start(setting.pause())
        namespace = f"container:{pause.id}"
        watcher = start(setting.inside(Role.WATCHER, "watcher", Orders(port=PORT), namespace))
        events = Events(engine.follow(watcher))
        first = events.next(WATCHER_START_S)
        if first is None or first["event"] != "watching":
            said = engine.logs(watcher).strip()[-300:]
            raise UnreadableOutput(f"The watcher's container did not begin to watch: {said or 'it said nothing'}")
        yield Watched(namespace, events)


def start_trials(wanted: Sequence[tuple[Image, int]], setting: Setting, engine: Engine) -> Iterator[StartTrial]:
    """Start fresh containers one after the other, each killed before the next, and time each.

    Args:
        wanted: images, and the number of each trial, in the order in which they are made.
        setting: how targets are started.
        engine: where.

    """
    with watched(setting, engine) as place:
        for image, index in wanted:
            started_at = datetime.now(UTC)
            began = time.monotonic()
            target = engine.start(setting.target(image, place.namespace))
            engine_seconds = time.monotonic() - began
            try:
                seconds = _await_up(place.events, engine, target, began, setting.load_profile.ready_timeout_s)
            finally:
                engine.remove(target)
            yield StartTrial(
                id=f"start-{image.variant}-{index}",
                variant=image.variant,
                image_digest=image.digest,
                run_profile=setting.run_profile.name,
                index=index,
                started_at=started_at,
                seconds_to_first_answer=seconds,
                engine_seconds=engine_seconds,
            )
            if not isinstance(seconds, NotMeasured):
                _await_down(place.events)


def stop_trials(
    wanted: Sequence[tuple[Image, int]], setting: Setting, engine: Engine, done: Callable[[StopTrial | None], None]
) -> None:
    """Stop idle containers and time each.

    One is stopped at a time, until it has ended or has shown that it ignores SIGTERM: those that do only wait, so their
    time limits run side by side.

    Args:
        wanted: images, and the number of each trial.
        setting: how targets are started.
        engine: where.
        done: takes each trial as it ends; None for a container that never came up, which is no stop at all.

    """
    with ThreadPoolExecutor(max_workers=max(1, len(wanted))) as pool, ExitStack() as places:
        waiting: list[Future[StopTrial]] = []
        for image, index in wanted:
            place = places.enter_context(watched(setting, engine))
            began = time.monotonic()
            target = places.enter_context(engine.running(setting.target(image, place.namespace)))
            up = _await_up(place.events, engine, target, began, setting.load_profile.ready_timeout_s)
            if isinstance(up, NotMeasured):
                done(None)
                continue
            waiting.append(pool.submit(stopped, image, index, target, setting, engine))
            wait_for(waiting[-1:], timeout=PROMPT_STOP_S)
        for each in waiting:
            done(each.result())


def stopped(
    image: Image, index: int, target: Container, setting: Setting, engine: Engine, *, kind: str = ""
) -> StopTrial:
    """Stop a container that answers, and return what came of it; `kind` tells its trial's name from other kinds'."""
    timeout_s = setting.load_profile.stop_timeout_s
    started_at = datetime.now(UTC)
    began = time.monotonic()
    engine.stop(target, timeout_s=timeout_s)
    seconds = time.monotonic() - began
    exit_code = engine.state(target).exit_code
    return StopTrial(
        id=f"stop-{kind}{image.variant}-{index}",
        variant=image.variant,
        image_digest=image.digest,
        run_profile=setting.run_profile.name,
        index=index,
        started_at=started_at,
        timeout_s=float(timeout_s),
        seconds=seconds,
        exit_code=exit_code,
        killed=exit_code == SIGKILLED and seconds >= timeout_s,
    )


def _await_up(events: Events, engine: Engine, target: Container, began: float, timeout_s: float) -> float | NotMeasured:
    """Return the seconds from `began` to the watcher's word that a correct answer came."""
    wrong = ""
    while time.monotonic() < began + timeout_s and not events.over:
        event = events.next(LOOK_S)
        if event is not None and event["event"] == "up":
            return time.monotonic() - began
        if event is not None and event["event"] == "wrong":
            wrong = f"; it answered wrongly: {event['wrong'][0]}"
        elif event is None:
            state = engine.state(target)
            if not state.running and not state.restarts:
                tail = " | ".join(engine.logs(target).strip().splitlines()[-LOG_LINES:]) or "it said nothing"
                how = ending(state.exit_code, state.user)
                return NotMeasured(not_measured=f"{how[0].lower()}{how[1:]}: {tail}")
    return NotMeasured(not_measured=f"no correct answer within {timeout_s:g} s{wrong}")


def _await_down(events: Events) -> None:
    """Wait until nothing of the last target listens, so that the next one's answer is its own."""
    deadline = time.monotonic() + DOWN_S
    while time.monotonic() < deadline and not events.over:
        event = events.next(LOOK_S)
        if event is not None and event["event"] == "down":
            return
    raise UnreadableOutput("The watcher still saw a server after its container was removed.")
