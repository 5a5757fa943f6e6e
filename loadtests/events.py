"""The JSON lines that a container prints, read as they come, with a time limit on each wait."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from typing import Any

from harness.errors import SeatrialError


class Events:
    """Follows an output in a thread of its own, so that a container that says nothing cannot hold up its reader.

    Args:
        lines: the output's lines; they end when the container ends.

    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._queue: queue.SimpleQueue[dict[str, Any] | SeatrialError | None] = queue.SimpleQueue()
        self._over = False
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether the output has ended, and all of it was taken."""
        return self._over

    def next(self, timeout_s: float) -> dict[str, Any] | None:
        """Return the next event, or None where none came in time or the output is over.

        Raises:
            SeatrialError: the engine failed while the output was read.

        """
        if self._over:
            return None
        try:
            event = self._queue.get(timeout=max(timeout_s, 0.001))
        except queue.Empty:
            return None
        if isinstance(event, SeatrialError):
            self._over = True
            raise event
        self._over = event is None
        return event

    def _read(self, lines: Iterator[str]) -> None:
        try:
            for line in lines:
                event = parse(line)
                if event is not None:
                    self._queue.put(event)
        except SeatrialError as error:
            self._queue.put(error)
        except Exception as error:  # a waiting thread must learn of the end, whatever it was
            self._queue.put(SeatrialError(f"A container's output could not be read: {error}"))
        else:
            self._queue.put(None)


def parse(line: str) -> dict[str, Any] | None:
    """Read one line; None where it is no event, such as a warning that a library printed."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None
