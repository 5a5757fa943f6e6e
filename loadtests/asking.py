"""Asking a container that somebody else started: its whole contract, then load, then its contract again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.engine.client import Engine
from harness.engine.labels import Role
from harness.errors import SeatrialError
from harness.model import Asked, Image
from loadtests.events import Events
from loadtests.judging import Order
from loadtests.setting import Setting
from loadtests.trial import SLACK_S, containers, orders_of

LOOK_S = 0.5
LONGEST_LOAD_S = 10.0
"""However long a load profile measures: what is looked for here shows early."""
LEAST_READY_S = 120.0
LEAST_REQUEST_S = 30.0
"""A recorded container is many times slower, and one that has ended is not waited for: what is asked is whether it
works, and not how fast."""
DEFAULT_USERS = 8
MOMENTS = {"ready": "ready", "before": "examined", "warm-up": "begun", "measure-end": "over"}


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How a container is asked; a `harness.model.Asks`.

    Args:
        engine: where.
        setting: the generator, its core, and the load profile, of which users, mix and time limits are taken.
        image: what the container is started from, for the record only.
        seed: varies the inputs.

    """

    engine: Engine
    setting: Setting
    image: Image
    seed: int

    def __call__(self, namespace: str, port: int, alive: Callable[[], bool]) -> Asked:
        """Ask the one in `namespace` on its loopback, from a generator that joins it; give up once it is not alive.

        Raises:
            SeatrialError: the engine failed. What the container did wrong is in what is returned.

        """
        profile = self.setting.load_profile
        profile = profile.model_copy(
            update={
                "measure_s": min(profile.measure_s, LONGEST_LOAD_S),
                "users": profile.users or DEFAULT_USERS,
                "sample_share": 1.0,
                "ready_timeout_s": max(profile.ready_timeout_s, LEAST_READY_S),
                "request_timeout_s": max(profile.request_timeout_s, LEAST_REQUEST_S),
            }
        )
        setting = replace(self.setting, load_profile=profile, port=port)
        order = Order(image=self.image, model="closed", round=0, attempt=1, seed=self.seed)
        allowed = profile.ready_timeout_s + profile.warmup_s + profile.measure_s + 8 * profile.request_timeout_s
        deadline = time.monotonic() + allowed + SLACK_S
        seen: dict[str, dict[str, Any]] = {}
        with containers(self.engine) as start:
            try:
                generator = start(setting.inside(Role.GENERATOR, "driver", orders_of(order, setting), namespace))
            except SeatrialError:
                # The namespace of a container that has ended cannot be joined.
                if alive():
                    raise
                return asked({})
            events = Events(self.engine.follow(generator))
            while not events.over and time.monotonic() < deadline and "result" not in seen:
                event = events.next(LOOK_S)
                if event is not None:
                    seen[str(event["when"] if event["event"] == "contract" else event["event"])] = event
                elif not alive():
                    break
        return asked(seen)


def asked(seen: Mapping[str, Mapping[str, Any]]) -> Asked:
    """Return what a generator's events add up to: event, or the contract's `before` and `after`, -> its words. Pure."""
    faults: list[str] = []
    for name, when in (("ready", "at first"), ("before", "before the load"), ("after", "after the load")):
        found = seen.get(name)
        if found is not None:
            faults += [f"{when}: {line}" for line in (*found.get("wrong", ()), *found.get("unanswered", ()))]
    result = seen.get("result", {})
    endpoints = result.get("endpoints", {}).values()
    requests = sum(int(one["requests"]) for one in endpoints)
    failures = sum(int(one["failures"]) for one in endpoints)
    if failures:
        faults.append(f"under load: {failures} of {requests} requests failed")
    faults += [f"under load: {line}" for line in result.get("faults", ())]
    if "result" not in seen and not faults:
        after = next((what for name, what in _LAST.items() if name in seen), "before its first answer")
        faults.append(f"it no longer answered {after}")
    elif "result" in seen and not requests:
        faults.append("under load: not one request was answered")
    return Asked(
        moments={MOMENTS[name]: float(event["at"]) for name, event in seen.items() if name in MOMENTS},
        verified=sum(int(seen.get(name, {}).get("verified", 0)) for name in ("before", "after")),
        requests=requests,
        faults=tuple(faults),
    )


_LAST = {"measure-end": "after the load", "warm-up": "under load", "before": "after its examination",
         "ready": "after its first answer"}  # fmt: skip
