"""Waits for a moment to the tenth of a millisecond; the event loop's own timers round up to whole milliseconds."""

from __future__ import annotations

import os
import sys
import time

import gevent
from gevent.socket import wait_read

NANOSECONDS = 10**9
LATE_S = 0.01
"""Whoever is later than this gives way first: where more is due than can be done, nothing else would ever be done."""


class Timer:
    """One kernel timer, waited for as any file is; before Python 3.13 there is none, and it sleeps."""

    def __init__(self) -> None:
        self._fd = -1
        if sys.version_info >= (3, 13):
            self._fd = os.timerfd_create(time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)

    def wait_until(self, moment: float) -> None:
        """Let others go on until a moment by `time.perf_counter`, whose clock on Linux is the monotonic one."""
        while (early := moment - time.perf_counter()) > 0:
            if sys.version_info >= (3, 13):
                os.timerfd_settime_ns(self._fd, initial=max(1, int(early * NANOSECONDS)))
                wait_read(self._fd)
                os.read(self._fd, 8)
            else:
                gevent.sleep(early)
        if early < -LATE_S:
            gevent.sleep(0)

    def close(self) -> None:
        """Give the kernel's timer back."""
        if self._fd >= 0:
            os.close(self._fd)
