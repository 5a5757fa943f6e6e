"""Looks for answers itself for a moment, before the kernel is asked to wake this process.

A core with nothing to do halts, and on a virtual machine it takes tens of microseconds to wake it, which whoever sends
to it pays too. Block devices are polled in this way: a nap first, so that others get the core, and then a look as soon
as there is nothing else to do (the kernel's documentation of `io_poll_delay` calls it hybrid polling).
"""

from __future__ import annotations

import time

from gevent import get_hub
from gevent.monkey import get_original

NAP_S = 1e-6
"""The kernel makes it some 60 microseconds."""
LONGEST_S = 200e-6
"""CPU time; who has to wait for longer loses little by being woken."""


class Polling:
    """Keeps this thread's event loop from sleeping while an answer may come soon."""

    def __init__(self) -> None:
        self.spent = 0.0
        """CPU seconds that went into looking, and would have been idle."""
        self._idle = get_hub().loop.idle()
        self._nap = get_original("time", "sleep")
        self._began: float | None = None
        self._last = 0.0

    def expect(self) -> None:
        """Begin to look: somebody waits for an answer from now on."""
        self._began = None
        if not self._idle.active:
            self._idle.start(self._look)

    def _look(self) -> None:
        """Return, so that the event loop looks again; it calls this when it has found nothing to do."""
        now = time.thread_time()
        if self._began is None:
            self._began = now
            self._nap(NAP_S)
        else:
            self.spent += now - self._last
            if now - self._began > LONGEST_S:
                self._idle.stop()
        self._last = now
