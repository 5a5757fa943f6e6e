"""How long, in the words of each format."""

from __future__ import annotations

import math


def spelled(seconds: float) -> str:
    """Write seconds as Docker, Podman and systemd read them: `30s`, `500ms`."""
    return f"{seconds:.0f}s" if seconds == int(seconds) else f"{math.ceil(seconds * 1000)}ms"


def whole(seconds: float | None, default: int) -> int:
    """Return whole seconds, at least one, as Kubernetes counts them."""
    return default if seconds is None else max(1, math.ceil(seconds))
