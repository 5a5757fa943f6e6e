"""Pair after pair: kept as they end, invalid ones made again up to a limit, and no pair more where there is no hope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.model import NotMeasured, Ratio, SlicedComparison
from loadtests import slices, slicing_pair
from loadtests.setting import Cores
from loadtests.slicing_pair import PairOrder, SeenPair
from tests.made_records import image
from tests.unit.test_slices_judging import SIDE, row, seen

FINE = [row(1.1)] * 10


class Images:
    """An engine that has every image."""

    def image(self, digest: str) -> dict[str, Any]:
        return {"Config": {}}


class Counted:
    """Counts the announced steps."""

    done = 0

    def step(self, what: str) -> None: ...

    def advance(self, steps: int = 1) -> None:
        self.done += steps


class Kept:
    """Keeps how far the comparison had come each time, and the names of what belongs to it."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.names: list[str] = []

    def write_sliced(self, comparison: SlicedComparison) -> None:
        self.lengths.append(len(comparison.pairs))

    def write_histogram(self, name: str, data: bytes) -> None:
        self.names.append(name)

    def write_log(self, name: str, text: str) -> None:
        self.names.append(name)


def compared(
    monkeypatch: pytest.MonkeyPatch,
    pairs: Sequence[SeenPair],
    *,
    repeats: int = 2,
    known: SlicedComparison | None = None,
    **changed: Any,
) -> tuple[SlicedComparison, Kept, Counted, list[PairOrder]]:
    left, orders = list(pairs), []

    def run(order: PairOrder, *_: Any) -> SeenPair:
        orders.append(order)
        return left.pop(0)

    monkeypatch.setattr(slicing_pair, "run", run)
    store, progress, engine = Kept(), Counted(), Images()
    plan = slices.Plan(id="x", a=SIDE, b=SIDE, seed=3, pairs=6, seconds=30, repeats=repeats)
    found = slices.compare(
        replace(plan, **changed),
        engine=engine,  # type: ignore[arg-type]
        generator_image="g", cores=Cores(target="0", generator="1"), store=store, progress=progress,
        known=known,
    )  # fmt: skip
    return found, store, progress, orders


def stepped() -> SeenPair:
    return seen(FINE, clock_step_s=3.0)


def test_all_pairs_are_measured_and_kept_as_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    found, store, progress, orders = compared(monkeypatch, [seen(FINE)] * 6)
    assert isinstance(found.request_time, Ratio)
    assert found.request_time.significant
    assert found.request_time.value == pytest.approx(1.1)
    assert store.lengths == [1, 2, 3, 4, 5, 6]
    assert set(store.names) == set(found.histogram_files)
    assert progress.done == 6
    assert len({order.seed for order in orders}) == 6
    assert {order.orders.measure_s for order in orders} == {5.0}


def test_an_invalid_pair_is_made_again_and_stays_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    found, store, progress, orders = compared(monkeypatch, [seen(FINE), stepped(), *[seen(FINE)] * 5])
    assert [(order.index, order.attempt) for order in orders] == [
        (1, 1),
        (2, 1),
        (2, 2),
        (3, 1),
        (4, 1),
        (5, 1),
        (6, 1),
    ]
    assert [pair.valid for pair in found.pairs].count(False) == 1
    assert isinstance(found.request_time, Ratio)
    assert found.request_time.significant
    assert progress.done == 6
    assert any(name.endswith(".log") for name in store.names)


def test_with_too_many_invalid_pairs_there_is_no_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, _, orders = compared(monkeypatch, [seen(FINE), *[stepped()] * 3, *[seen(FINE)] * 4])
    assert len(orders) == 8
    assert isinstance(found.request_time, Ratio)
    assert found.request_time.significant is None


def test_where_no_pair_is_valid_it_ends_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, _, orders = compared(monkeypatch, [stepped()] * 9)
    assert len(orders) == 3
    assert isinstance(found.request_time, NotMeasured)
    assert "clock" in found.request_time.not_measured


def test_a_side_that_answers_wrongly_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, _, orders = compared(monkeypatch, [seen(FINE), seen(FINE, b={"faults": ["GET /: wrong"]})])
    assert len(orders) == 2
    assert isinstance(found.request_time, NotMeasured)
    assert "GET /: wrong" in found.request_time.not_measured


@pytest.mark.parametrize("had", [1, 3, 6], ids="{} pairs".format)
def test_it_goes_on_from_the_pairs_that_are_kept(monkeypatch: pytest.MonkeyPatch, had: int) -> None:
    every = [seen(FINE), stepped(), *[seen(FINE)] * 5]
    whole, *_, all_orders = compared(monkeypatch, every)
    stopped = whole.model_copy(update={"pairs": whole.pairs[:had]})
    found, store, progress, orders = compared(monkeypatch, every[had:], known=stopped)
    assert found == whole
    assert orders == all_orders[had:]
    assert store.lengths == list(range(had + 1, 8))
    assert progress.done == 6


def test_a_whole_comparison_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, *_ = compared(monkeypatch, [seen(FINE)] * 6)
    found, store, progress, orders = compared(monkeypatch, [], known=whole)
    assert (found, store.lengths, progress.done, orders) == (whole, [], 6, [])


@pytest.mark.parametrize(
    "changed",
    [
        {"a": replace(SIDE, image=image("other", digest="sha256:" + "9" * 64))},
        {"b": replace(SIDE, env={"X": "1"})},
        {"b": replace(SIDE, run_profile=SIDE.run_profile.model_copy(update={"read_only": False, "tmpfs": {}}))},
        {"seconds": 60.0},
        {"connections": 2},
        {"seed": 4},
        {"endpoints": {"json": 1}},
    ],
    ids=["image", "environment", "run profile", "seconds", "connections", "seed", "endpoints"],
)
def test_pairs_of_another_comparison_are_not_taken(monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]) -> None:
    whole, *_ = compared(monkeypatch, [seen(FINE)] * 6)
    *_, orders = compared(monkeypatch, [seen(FINE)] * 6, known=whole, **changed)
    assert len(orders) == 6
