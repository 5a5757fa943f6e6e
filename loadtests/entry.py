"""What a container's command imports before it serves, read from the command itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from harness.model import NotMeasured

FLAGS_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
APP = re.compile(r"^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):[A-Za-z_][\w.]*(\(.*\))?$")
INTERPRETER = re.compile(r"^python(3(\.\d+)?)?$")
SERVERS = {"gunicorn": "gunicorn.app.wsgiapp"}
"""Program -> the module that it begins with, where that is another."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """How a container starts Python, and what it imports.

    Args:
        python: the interpreter's name or path.
        flags: its own options, before `-m` or the script.
        modules: what is imported, in this order.
        script: the file that is run, where it is one.

    """

    python: str
    flags: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    script: str | None = None

    @property
    def imported(self) -> tuple[str, ...]:
        """The modules and the script, as they are told to a reader."""
        return (*self.modules, *((self.script,) if self.script else ()))


def entry_of(argv: Sequence[str]) -> Entry | NotMeasured:
    """Read a container's whole command: entry point and command together.

    `python -m PACKAGE` runs its `__main__`, which is then imported under that name, so that what a guard protects is
    not run; an argument such as `app.wsgi:app` names one more module.
    """
    if not argv:
        return NotMeasured(not_measured="the image names no command")
    program = PurePosixPath(argv[0]).name
    if INTERPRETER.match(program):
        return _of_interpreter(argv)
    if program in SERVERS:
        # A console script; its interpreter is the one that the image has on its path.
        return _with_app(Entry(python="python3", modules=(SERVERS[program],)), argv[1:])
    return NotMeasured(not_measured=f"its command begins with {program}, so what it imports cannot be told")


def _of_interpreter(argv: Sequence[str]) -> Entry | NotMeasured:
    flags: list[str] = []
    rest = list(argv[1:])
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c", "-"):
        flags.append(rest.pop(0))
        if flags[-1] in FLAGS_WITH_VALUE and rest:
            flags.append(rest.pop(0))
    if len(rest) > 1 and rest[0] == "-m":
        entry = Entry(python=argv[0], flags=tuple(flags), modules=(SERVERS.get(rest[1], f"{rest[1]}.__main__"),))
        return _with_app(entry, rest[2:])
    if rest and not rest[0].startswith("-"):
        return Entry(python=argv[0], flags=tuple(flags), script=rest[0])
    return NotMeasured(not_measured="its command names neither a module nor a script")


def _with_app(entry: Entry, arguments: Sequence[str]) -> Entry:
    named = [found.group(1) for one in arguments if (found := APP.match(one))]
    return Entry(python=entry.python, flags=entry.flags, modules=(*entry.modules, *named[-1:]))
