"""Graceful stops under load: SIGTERM while closed users ask, and what became of their requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.engine.client import Engine
from harness.engine.labels import Role
from harness.model import Image, NotMeasured, StopLoad, StopTrial
from loadtests.events import Events
from loadtests.inside.orders import Orders
from loadtests.setting import PORT, Setting
from loadtests.starts import stopped
from loadtests.trial import containers

DEFAULT_USERS = 8
STEADY_S = 1.0
SLACK_S = 30.0


def loaded_stops(
    image: Image, setting: Setting, engine: Engine, indexes: Sequence[int], seed: int
) -> Iterator[StopTrial | None]:
    """Stop a fresh container under load for each index; None for one that never answered, which is no stop at all.

    Args:
        image: the variant's image.
        setting: how targets are started; its load profile names users and time limits.
        engine: where.
        indexes: the numbers of the trials that are still to be made.
        seed: varies the inputs.

    """
    for index in indexes:
        yield _one(image, index, setting, engine, seed + index)


def _one(image: Image, index: int, setting: Setting, engine: Engine, seed: int) -> StopTrial | None:
    profile = setting.load_profile
    orders = Orders(
        port=PORT,
        users=profile.users or DEFAULT_USERS,
        journeys=dict(profile.journeys),
        warmup_s=STEADY_S,
        measure_s=profile.stop_timeout_s + profile.request_timeout_s,
        ready_timeout_s=profile.ready_timeout_s,
        request_timeout_s=profile.request_timeout_s,
        seed=seed,
    )
    with containers(engine) as start:
        pause = start(setting.pause())
        namespace = f"container:{pause.id}"
        generator = start(setting.inside(Role.GENERATOR, "stop_load", orders, namespace))
        events = Events(engine.follow(generator))
        if _await(events, "waiting", SLACK_S) is None:
            return None
        target = start(setting.target(image, namespace))
        steady = _await(events, "steady", profile.ready_timeout_s + STEADY_S + SLACK_S)
        if steady is None:
            return None
        trial = stopped(image, index, target, setting, engine, kind="loaded-")
        result = _await(events, "result", orders.measure_s + profile.request_timeout_s + SLACK_S)
    return trial.model_copy(update={"load": load_of(orders.users, steady, result)})


def load_of(users: int, steady: Mapping[str, Any], result: Mapping[str, Any] | None) -> StopLoad | NotMeasured:
    """Return what became of the requests; nothing where the load was not right before the stop. Pure."""
    if steady["wrong"] or steady["lost"]:
        return NotMeasured(
            not_measured=f"before the stop already, {steady['wrong']} answers were wrong and {steady['lost']} missing"
        )
    if not steady["answered"]:
        return NotMeasured(not_measured="no request was answered before the stop")
    if result is None:
        return NotMeasured(not_measured="the load generator gave no result")
    if result["still_asking"]:
        return NotMeasured(not_measured=f"{result['still_asking']} users were still waiting when the time was over")
    return StopLoad(
        users=users,
        answered=result["answered"],
        lost=result["lost"],
        lost_on_kept_connections=result["lost_on_kept"],
        wrong=result["wrong"],
        refused=result["refused"],
        examples=tuple(result["examples"]),
    )


def _await(events: Events, name: str, timeout_s: float) -> dict[str, Any] | None:
    """Return the next event of a name; None where the output ends, or none comes for so long."""
    while (event := events.next(timeout_s)) is not None:
        if event["event"] == name:
            return event
    return None
