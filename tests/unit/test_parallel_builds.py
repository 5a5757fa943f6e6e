"""Builds run beside each other, but never two that could share steps while they are timed without cache."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from harness.engine.builder import Builder
from harness.errors import BuildFailed, Interrupted
from harness.model import BaseImage, BaseSource, Variant
from images.parallel import Pool, in_order, next_of
from images.plan import Plan

BASES = {
    "alpine-dev": ["alpine"],
    "alpine-gunicorn": ["alpine"],
    "article": ["article"],
    "distroless-dev": ["slim", "distroless"],
    "distroless-gunicorn": ["slim", "distroless"],
    "slim-dev": ["slim"],
    "slim-gunicorn": ["slim"],
}


def base(name: str) -> BaseImage:
    return BaseImage(
        name=name, public=name, reference=f"seatrial-base/{name}:0", digest=name, source=BaseSource.PACKAGES
    )


def plan(name: str, bases: list[str]) -> Plan:
    return Plan(
        variant=Variant(name=name, dockerfile="x", public_bases={each: each for each in bases}),
        bases={each: base(each) for each in bases},
        context=Path("/nowhere"),
        inputs="0" * 64,
    )


@pytest.fixture
def plans() -> list[Plan]:
    return [plan(name, bases) for name, bases in BASES.items()]


def pool(size: int) -> Pool:
    return Pool(size, cast(Builder, SimpleNamespace(cancel=threading.Event())))


class Busy:
    """Work that notes which builds ran beside each other."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running: list[Plan] = []
        self.together: set[frozenset[str]] = set()
        self.most = 0

    def __call__(self, one: Plan) -> float:
        with self.lock:
            self.together |= {frozenset((one.variant.name, other.variant.name)) for other in self.running}
            self.running.append(one)
            self.most = max(self.most, len(self.running))
        time.sleep(0.02)
        with self.lock:
            self.running.remove(one)
        return 1.0


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_builds_that_share_a_base_are_kept_apart(plans: list[Plan], cores: int) -> None:
    busy = Busy()
    done = pool(cores).map(busy, plans, [], apart=True)
    assert list(done) == plans
    assert busy.most == min(cores, 3), "one of each of the three groups, and no more"
    assert not [pair for pair in busy.together if set.intersection(*(set(BASES[name]) for name in pair))]
    assert all(1 <= timed.at_once <= min(cores, 3) for timed in done.values())


def test_other_builds_use_every_core(plans: list[Plan]) -> None:
    busy = Busy()
    pool(4).map(busy, plans, [])
    assert busy.most == 4


def test_the_longest_queue_goes_first(plans: list[Plan]) -> None:
    first = in_order(plans)[0]
    assert "slim" in first.bases
    assert next_of([one for one in plans if "slim" in one.bases], [first], apart=True) is None


def test_who_ran_alone_is_said_to_have(plans: list[Plan]) -> None:
    slims = [one for one in plans if one.variant.name.startswith("slim")]
    done = pool(8).map(Busy(), slims, [], apart=True)
    assert Counter(timed.at_once for timed in done.values()) == {1: 2}


def test_one_that_fails_does_not_stop_the_others(plans: list[Plan]) -> None:
    def work(one: Plan) -> float:
        if one is plans[0]:
            raise BuildFailed("no")
        return 1.0

    failures: list[BuildFailed] = []
    assert list(pool(2).map(work, plans, failures, apart=True)) == plans[1:]
    assert [error.message for error in failures] == ["no"]


def test_one_that_is_stopped_stops_all(plans: list[Plan]) -> None:
    began: list[Plan] = []

    def work(one: Plan) -> float:
        began.append(one)
        raise Interrupted("stopped")

    tool = SimpleNamespace(cancel=threading.Event())
    with pytest.raises(Interrupted):
        Pool(1, cast(Builder, tool)).map(work, plans, [], apart=True)
    assert tool.cancel.is_set()
    assert len(began) == 1
