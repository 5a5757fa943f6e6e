"""What a stop from outside does: SIGTERM and SIGHUP end a run as Ctrl-C does, and cleaning up is not cut short."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from harness.errors import Interrupted

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stops_raise() -> Iterator[None]:
    """Turn the signals that stop a program into `Interrupted` for the length of a block, so that every `finally` runs.

    Only the main thread can do that; in another one the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A program started with nohup ignores SIGHUP, one started with & in a script SIGINT: that is the user's wish.
    heeded = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _raise) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stops_wait(say: Callable[[str], None]) -> Iterator[None]:
    """Hold back the signals that stop a program while a block cleans up; the user is told once that it does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def wait(number: int, _frame: FrameType | None) -> None:
        if not held:
            say("Cleaning up: a moment, please.")
        held.append(number)

    heeded = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, wait) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held:
        raise Interrupted("Stopped.")


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(f"Stopped by {signal.Signals(number).name}.")
