"""What the kernel says of time, read from recorded text and from this machine."""

from __future__ import annotations

import time

import pytest

from loadtests.inside import machine

STAT = """cpu  1000 20 300 9000 50 7 8 9 0 0
cpu0 500 10 150 4500 25 3 4 5 0 0
cpu1 500 10 150 4500 25 4 4 4 0 0
cpu10 1 1 1 1 1 1 1 1 0 0
intr 12345
"""


@pytest.mark.parametrize(("core", "seconds"), [(0, 6.65), (1, 6.64), (10, 0.04), (2, None)])
def test_a_cores_busy_seconds_are_its_programs_and_not_its_interrupts(core: int, seconds: float | None) -> None:
    assert machine.parse_busy(STAT, core, 100) == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("text", ["", "cpu0", "cpu0 1 2 3\n", "\n\n"])
def test_text_that_names_no_core_is_not_zero(text: str) -> None:
    assert machine.parse_busy(text, 0, 100) is None


def test_the_clock_does_not_step_by_itself() -> None:
    assert machine.clock_offset() == pytest.approx(machine.clock_offset(), abs=0.01)


def test_work_costs_cpu_time() -> None:
    began, wall = machine.cpu_seconds(), time.monotonic()
    while time.monotonic() < wall + 0.15:
        sum(range(1000))
    assert machine.cpu_seconds() > began
