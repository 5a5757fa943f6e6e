"""Locks tell a run that lives from one that died and from one that nobody here knows."""

from __future__ import annotations

import os
import re
import threading
import time
from datetime import datetime

import pytest

from harness import locks
from harness.errors import UsageError
from harness.locks import RunState, SharedLock, locked_if_free, run_lock, run_state
from harness.paths import state_dir

RUN = "20261124-220812-ab12"


def test_run_ids_sort_by_age_and_differ() -> None:
    when = datetime(2026, 11, 24, 22, 8, 12)
    ids = {locks.new_run_id(when) for _ in range(50)}
    assert len(ids) > 40
    assert all(re.fullmatch(r"20261124-220812-[0-9a-f]{4}", run) for run in ids)


def test_a_run_is_alive_while_its_lock_is_held_and_unknown_after_it_ended_well() -> None:
    assert run_state(RUN) is RunState.UNKNOWN
    with run_lock(RUN):
        assert run_state(RUN) is RunState.ALIVE
        assert locks.living_runs() == [RUN]
    assert run_state(RUN) is RunState.UNKNOWN
    assert locks.living_runs() == []


def test_a_run_that_failed_is_dead() -> None:
    with pytest.raises(ZeroDivisionError), run_lock(RUN):
        raise ZeroDivisionError
    assert run_state(RUN) is RunState.DEAD


def test_the_same_run_cannot_go_on_twice() -> None:
    with run_lock(RUN), pytest.raises(UsageError, match=f"{RUN} is going on in another process"), run_lock(RUN):
        pass


def test_a_dead_run_can_be_taken_up_again() -> None:
    with pytest.raises(ZeroDivisionError), run_lock(RUN):
        raise ZeroDivisionError
    with run_lock(RUN):
        assert run_state(RUN) is RunState.ALIVE


@pytest.mark.parametrize("run", ["../../etc/passwd", "", ".hidden", "a/b", "x" * 200])
def test_a_label_cannot_lead_out_of_the_folder(run: str) -> None:
    assert run_state(run) is RunState.UNKNOWN
    with pytest.raises(UsageError), run_lock(run):
        pass
    assert not list(state_dir().rglob("*passwd*"))


def test_only_old_locks_of_dead_runs_are_forgotten() -> None:
    for run in ("20200101-000000-0001", "20200101-000000-0002", "20200101-000000-0003"):
        with pytest.raises(ZeroDivisionError), run_lock(run):
            raise ZeroDivisionError
    old = time.time() - 40 * 86_400
    for number in (1, 2):
        os.utime(locks.runs_dir() / f"20200101-000000-000{number}.lock", (old, old))
    with run_lock("20200101-000000-0002"):
        os.utime(locks.runs_dir() / "20200101-000000-0002.lock", (old, old))
        locks.forget_old_runs()
        assert run_state("20200101-000000-0001") is RunState.UNKNOWN
        assert run_state("20200101-000000-0002") is RunState.ALIVE
        assert run_state("20200101-000000-0003") is RunState.DEAD


def test_a_shared_lock_keeps_others_from_having_it_alone_until_the_last_lets_go() -> None:
    path = state_dir() / "users.lock"
    first, second = SharedLock(path), SharedLock(path)
    for use in (first, second):
        with locked_if_free(path) as alone:
            assert not alone
        use.release()
    with locked_if_free(path) as alone:
        assert alone


def test_a_second_measurement_says_that_it_waits_and_goes_on_when_the_first_has_ended() -> None:
    told: list[str] = []
    begun, held = threading.Event(), threading.Event()

    def second() -> None:
        begun.set()
        with locks.measuring(told.append):
            held.set()

    with locks.measuring(told.append):
        assert told == []
        thread = threading.Thread(target=second, daemon=True)
        thread.start()
        assert begun.wait(5)
        assert not held.wait(0.2)
        assert told == ["Waiting for another run's measurement"]
    assert held.wait(5)
    thread.join(5)
    with locks.measuring(told.append):
        assert len(told) == 1
