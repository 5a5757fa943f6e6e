"""Where Seatrial keeps what outlives a run: the XDG folders of the user, shared by all clones."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The project's own folder."""


def _xdg(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    home = Path(value) if value.startswith("/") else Path.home() / default
    return home / "seatrial"


def cache_dir() -> Path:
    """Return the folder of what can be made again: wheels, packages, records of builds and scans."""
    return _xdg("XDG_CACHE_HOME", ".cache")


def state_dir() -> Path:
    """Return the folder of run locks, logs and the engine's own pid and socket."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def data_dir() -> Path:
    """Return the folder of the data root of Seatrial's own engine."""
    return _xdg("XDG_DATA_HOME", ".local/share")
