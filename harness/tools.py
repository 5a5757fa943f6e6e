"""Where an outside program is: first beside this interpreter, where the locked wheels put theirs, then on PATH."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from harness.errors import ToolMissing


def find(name: str) -> Path | None:
    """Return the path of a program, or None where this machine has none of that name."""
    beside = Path(sys.executable).parent / name
    if beside.is_file() and os.access(beside, os.X_OK):
        return beside
    on_path = shutil.which(name)
    return Path(on_path) if on_path else None


def require(name: str, *, hint: str) -> Path:
    """Return the path of a program.

    Raises:
        ToolMissing: there is none; `hint` says how to get it.

    """
    found = find(name)
    if found is None:
        raise ToolMissing(f"The program {name} is not on this machine.", hint)
    return found
