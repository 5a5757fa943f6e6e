"""One file an attack that is tried from inside a running container; a new file is all that a new probe takes."""

from __future__ import annotations

from security.attack import App, run_all

__all__ = ["App", "run_all"]
