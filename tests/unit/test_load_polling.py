"""The generator's looking for answers: for how long, what it counts, and where there is none."""

from __future__ import annotations

import os
import time
from pathlib import Path

import gevent
import pytest

from loadtests.inside import machine
from loadtests.inside.polling import LONGEST_S, Polling

WAIT_S = 0.2


def test_it_looks_for_a_moment_and_then_lets_itself_be_woken() -> None:
    polling = Polling()
    for waits in (1, 2):
        used = time.thread_time()
        polling.expect()
        gevent.sleep(WAIT_S)
        assert waits * LONGEST_S < polling.spent < waits * (LONGEST_S + WAIT_S / 20)
        assert time.thread_time() - used < WAIT_S / 2


def test_what_others_do_meanwhile_is_not_counted() -> None:
    polling = Polling()
    polling.expect()
    while not polling.spent:
        gevent.sleep(0.0001)
    over = time.thread_time() + WAIT_S
    while time.thread_time() < over:
        pass
    polling.expect()
    gevent.sleep(WAIT_S / 10)
    assert polling.spent < WAIT_S / 10


@pytest.mark.parametrize(
    ("target", "siblings", "apart"),
    [
        pytest.param("0", "1", True, id="another core"),
        pytest.param("1", "1", False, id="the same"),
        pytest.param("0", "0-1", False, id="its other half"),
        pytest.param("0,2", "1-2", False, id="the other half of one of several"),
        pytest.param("2", None, True, id="the kernel does not tell halves"),
        pytest.param("1", None, False, id="the same, and the kernel does not tell halves"),
    ],
)
def test_cores_are_apart_if_they_are_no_halves_of_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str, siblings: str | None, apart: bool
) -> None:
    if siblings is not None:
        (tmp_path / "cpu1" / "topology").mkdir(parents=True)
        (tmp_path / "cpu1" / "topology" / "thread_siblings_list").write_text(siblings + "\n")
    monkeypatch.setattr(machine, "CPUS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1})
    assert machine.apart(target) is apart
