"""What the user sees while a verb works: one bar with the time left, or plain lines where there is no terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from harness.figures import digits
from seatrial.terminal import Terminal, visible

WHAT_WIDTH = 44
PLAIN_RATE_S = 10.0
"""So often a trial's live throughput is worth a line of its own."""


class Screen:
    """Shows progress; safe to use from several threads.

    Args:
        terminal: where it goes: standard error, so that standard output holds results only.

    """

    def __init__(self, terminal: Terminal) -> None:
        console = terminal.err
        self._console = console
        self._quiet = terminal.quiet
        self._fancy = console.is_terminal and not terminal.quiet and not terminal.plain
        self._left: dict[str, int] = {}
        self._seconds: dict[str, float] = {}
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.fields[rate]}", style="bold"),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._lock = threading.Lock()
        self._began = self._told_at = time.monotonic()
        self._what = ""

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bar for the length of a block."""
        if not self._fancy:
            yield
            return
        with self._bar:
            self._task = self._bar.add_task("", total=self._expected(), left="", rate="")
            try:
                yield
            finally:
                self._bar.remove_task(self._task)
                self._task = None

    def say(self, line: str) -> None:
        """Tell the user one line, which stays."""
        if not self._quiet:
            with self._lock:
                self._console.print(Text(visible(line), style="dim"), soft_wrap=True)

    def line(self, line: str) -> None:
        """Show one line of a build, where it does not push the bar about: in plain mode only."""
        if not self._fancy:
            self.say(f"  {line}")

    def phase(self, name: str) -> PhaseProgress:
        """Return the progress of one planned phase, to be handed to the room that does it."""
        return PhaseProgress(self, name)

    def plan(self, name: str, steps: int, seconds_per_step: float) -> None:
        """Say, or say anew, how much of a phase lies ahead: steps, and seconds that one is expected to take."""
        with self._lock:
            self._left[name], self._seconds[name] = steps, seconds_per_step
            self._refresh()

    def doing(self, phase: str, what: str) -> None:
        """Show what is being done now."""
        if self._quiet:
            return
        with self._lock:
            self._what = what
            self._told_at = time.monotonic()
            if self._task is not None:
                self._bar.update(self._task, description=what[:WHAT_WIDTH].ljust(WHAT_WIDTH), rate="")
            elif not self._fancy:
                passed = time.monotonic() - self._began
                line = f"[{passed:5.0f} s, {self._time_left()}] {phase}: {what}"
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def rate(self, per_second: float) -> None:
        """Show how many answers a second the running trial gets; in plain mode, of a long one, once in a while."""
        if self._quiet:
            return
        with self._lock:
            text = f"{digits(per_second)} req/s"
            if self._task is not None:
                self._bar.update(self._task, rate=text)
            elif not self._fancy and time.monotonic() - self._told_at >= PLAIN_RATE_S:
                self._told_at = time.monotonic()
                passed = self._told_at - self._began
                line = f"[{passed:5.0f} s, {self._time_left()}] {self._what}: {text}"
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def done(self, phase: str, steps: int) -> None:
        """Count steps of a phase as done."""
        with self._lock:
            self._left[phase] = max(0, self._left.get(phase, 0) - steps)
            self._refresh()

    def _expected(self) -> float:
        return sum(steps * self._seconds[name] for name, steps in self._left.items())

    def _time_left(self) -> str:
        minutes, seconds = divmod(round(self._expected()), 60)
        return f"about {minutes}:{seconds:02d} left"

    def _refresh(self) -> None:
        if self._task is not None:
            passed = time.monotonic() - self._began
            self._bar.update(self._task, completed=passed, total=passed + self._expected(), left=self._time_left())


class PhaseProgress:
    """One phase's part of the screen; a `harness.model.Progress`."""

    def __init__(self, screen: Screen, name: str) -> None:
        self._screen = screen
        self._name = name

    def step(self, what: str) -> None:
        """Say that one thing began."""
        self._screen.doing(self._name, what)

    def advance(self, steps: int = 1) -> None:
        """Say that announced steps are done."""
        self._screen.done(self._name, steps)
