"""A stop during the clean-up waits for its end, and is not forgotten."""

from __future__ import annotations

import os
import signal

import pytest

from harness.errors import Interrupted
from harness.signals import stops_raise, stops_wait


def test_cleaning_up_is_not_cut_short_and_the_user_is_told_once() -> None:
    said: list[str] = []
    reached = []

    def clean_up() -> None:
        with stops_raise(), stops_wait(said.append):
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            reached.append(True)

    with pytest.raises(Interrupted):
        clean_up()
    assert reached == [True]
    assert said == ["Cleaning up: a moment, please."]


def test_without_a_stop_nothing_is_said() -> None:
    said: list[str] = []
    with stops_wait(said.append):
        pass
    assert said == []


def test_what_the_user_wants_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stops_raise():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
