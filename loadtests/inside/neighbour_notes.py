"""How a neighbour's processes tell its supervisor what they did, and the supervisor's account of it."""

from __future__ import annotations

import errno
import json
import os
from collections import Counter

LINE_ENDS = b"\n"


class Notes:
    """The writing end, for any process of the neighbour: a line at a time, short enough to be written whole.

    Args:
        pipe: the file descriptor that the supervisor reads the other end of.

    """

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def add(self, what: str, count: float) -> None:
        """Count more of something."""
        self._write("add", what, count)

    def most(self, what: str, count: float) -> None:
        """Say how much of something there is at once; the largest counts."""
        self._write("most", what, count)

    def stopped(self, limit: str, how: str) -> None:
        """Say that a limit held it up once."""
        self._write("stop", limit, how)

    def refused(self, limits: dict[int, str], error: OSError) -> None:
        """Say that the kernel refused something: by which limit, the errno tells.

        Args:
            limits: errno -> the limit that it is the sign of.
            error: the refusal.

        """
        number = error.errno or 0
        self.stopped(limits.get(number, "harness"), errno.errorcode.get(number, str(error)))

    def _write(self, *line: object) -> None:
        os.write(self._pipe, json.dumps(line).encode() + LINE_ENDS)


class Account:
    """The reading end: sums up what the lines say."""

    def __init__(self) -> None:
        self.did: dict[str, float] = {}
        self.stops: Counter[tuple[str, str]] = Counter()
        self._pending = b""

    def take(self, data: bytes) -> None:
        """Take what came through the pipe; a line may come in parts."""
        *lines, self._pending = (self._pending + data).split(LINE_ENDS)
        for line in lines:
            verb, what, value = json.loads(line)
            if verb == "add":
                self.did[what] = self.did.get(what, 0) + value
            elif verb == "most":
                self.did[what] = max(self.did.get(what, 0), value)
            else:
                self.stops[what, value] += 1
