"""The labels by which everything that Seatrial makes can be told from what is somebody else's."""

from __future__ import annotations

from enum import StrEnum

PREFIX = "org.seatrial"
RUN = f"{PREFIX}.run"
"""The run that made it; that run's lock tells whether it is still going."""
ROLE = f"{PREFIX}.role"
VARIANT = f"{PREFIX}.variant"
INPUTS = f"{PREFIX}.inputs"
"""Hash of all that went into an image, so that an image that is there need not be made again."""
RUNTIME_PREFIX = "seatrial-"
"""Names of containers, volumes and networks begin so."""


class Role(StrEnum):
    """What a container or image is for."""

    TARGET = "target"
    PAUSE = "pause"
    GENERATOR = "generator"
    WATCHER = "watcher"
    INSPECTOR = "inspector"
    BASE = "base"
    VARIANT = "variant"
    BUILD = "build"
    PROBE = "probe"
    NEIGHBOUR = "neighbour"


def of(run_id: str, role: Role, variant: str | None = None) -> dict[str, str]:
    """Return the labels of one thing that a run makes."""
    found = {RUN: run_id, ROLE: str(role)}
    return found | ({VARIANT: variant} if variant else {})
