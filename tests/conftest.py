"""For all tests: what stops a program stops those under test, however they were started; no example has a deadline."""

from __future__ import annotations

import signal

from hypothesis import settings

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def pytest_configure() -> None:
    """Undo what `nohup` and a script's `&` set, which every child would inherit."""
    for number in STOPPING:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    # A machine that is busy for a moment is no fault of the code's.
    settings.register_profile("seatrial", deadline=None)
    settings.load_profile("seatrial")
