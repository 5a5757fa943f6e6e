"""Where the command speaks: results to standard output, all else to standard error; as text, plainly, or as JSON."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TextIO

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from harness.errors import SeatrialError
from report.text import clean

WIDTH_OF_A_PIPE = 120
PLAIN_WORDS = ("NO_COLOR", "CI")
"""Variables that, set to anything, ask for no colour and no moving bar; see https://no-color.org."""


def asked_plain() -> bool:
    """Say whether the environment asks for plain text."""
    return any(os.environ.get(name) for name in PLAIN_WORDS) or os.environ.get("TERM") == "dumb"


@dataclass(kw_only=True)
class Terminal:
    """The two consoles, and how the user wants to be spoken to.

    Args:
        debug: errors with their tracebacks.
        quiet: nothing but results and errors.
        plain: no colour, no moving bar: one line for each thing that begins.
        as_json: one JSON document on standard output, and no other text there.

    """

    debug: bool = False
    quiet: bool = False
    plain: bool = field(default_factory=asked_plain)
    as_json: bool = False

    def __post_init__(self) -> None:
        """Make the consoles."""
        self.out: Console = _console(io.StringIO() if self.as_json else sys.stdout, plain=self.plain)
        self.err: Console = _console(sys.stderr, plain=self.plain)
        self._given: Any = None
        self._written = False

    def say(self, text: str) -> None:
        """Tell in a line what is being done; silent with `--quiet`."""
        if not self.quiet:
            self.err.print(Text(visible(text), style="dim"), soft_wrap=True)

    def fail(self, error: SeatrialError) -> None:
        """Tell what went wrong, and what to do about it; as JSON too, where that was asked for."""
        self.err.print(f"[bold red]error:[/] {escape(visible(error.message))}", soft_wrap=True)
        if error.hint:
            self.err.print(f"[bold]hint:[/] {escape(visible(error.hint))}", soft_wrap=True)
        if self.as_json and not self._written:
            told = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
            self.json(json.dumps({"error": told}, indent=2))

    def give(self, found: Any) -> None:
        """Keep what the verb found; with `--json` this is what is written when it ends.

        Args:
            found: models, or what JSON knows, or sequences and mappings of them.

        """
        self._given = found

    def json(self, text: str) -> None:
        """Write a document to standard output as it is, neither wrapped nor coloured."""
        self._written = True
        sys.stdout.write(text + "\n")

    def end(self) -> None:
        """Write what was given as JSON, where that was asked for; of a verb that gave nothing, its text by lines."""
        if not self.as_json or self._written:
            return
        text = self.out.file.getvalue() if isinstance(self.out.file, io.StringIO) else ""
        found = {"lines": text.splitlines()} if self._given is None else plain_data(self._given)
        self.json(json.dumps(found, indent=2, default=str))


def visible(text: str) -> str:
    """Return text with its lines, and nothing in it that a terminal obeys: a message may quote what an image holds."""
    return "\n".join(clean(line) for line in text.split("\n"))


def plain_data(found: Any) -> Any:
    """Return models and collections of them as what JSON knows."""
    if isinstance(found, BaseModel):
        return found.model_dump(mode="json")
    if is_dataclass(found) and not isinstance(found, type):
        return {one.name: plain_data(getattr(found, one.name)) for one in fields(found)}
    if isinstance(found, Mapping):
        return {str(name): plain_data(value) for name, value in found.items()}
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [plain_data(one) for one in found]
    return found


def _console(stream: TextIO, *, plain: bool) -> Console:
    """Return a console on a stream; a file or pipe has no width, and gets one in which a table keeps its words."""
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDTH_OF_A_PIPE
    # Plain means not one control sequence: no bold either, which is what rich keeps where there is no colour.
    return _Console(file=stream, highlight=False, width=width, force_terminal=False if plain else None, no_color=plain)


class _Console(Console):
    """A console that leaves it to the command what happens when its reader goes away; rich's own would exit with 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError
