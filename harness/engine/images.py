"""Images that Seatrial made: which names of them are its own, and which of the older ones may go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from harness.engine.client import Engine
from harness.engine.labels import INPUTS, ROLE, Role
from harness.errors import SeatrialError
from harness.locks import living_runs

IMAGE_ROLES = (Role.BASE, Role.VARIANT, Role.GENERATOR)
LATEST = "latest"
SHORTEST_TAG = 12
"""Tags are the beginning of the hash of an image's inputs, and have at least so many characters of it."""

# Podman names a registry, or the lack of one, with every tag.
_OWN = re.compile(r"(?:(?:docker\.io|localhost)/)?(?P<repository>seatrial(?:-base)?/[^:@]+):(?P<tag>[^:@]+)")


def own_names(image: Mapping[str, Any]) -> dict[str, str]:
    """Return those of an image's names that Seatrial gave it: name -> repository, without Podman's registry.

    Labels are inherited: an image that a user built from one of ours carries them too. So a name is only ours where
    its tag is the hash that the label holds, or `latest`, in a repository of ours.

    Args:
        image: the engine's entry of it, with `RepoTags` and `Labels`.

    """
    labelled = image.get("Labels") or {}
    inputs = labelled.get(INPUTS) or ""
    if labelled.get(ROLE) not in IMAGE_ROLES or not inputs:
        return {}
    found = {}
    for name in image.get("RepoTags") or ():
        if match := _OWN.fullmatch(name):
            tag = match["tag"]
            if tag == LATEST or (len(tag) >= SHORTEST_TAG and inputs.startswith(tag)):
                found[name] = match["repository"]
    return found


def remove_superseded(engine: Engine, role: Role, repository: str, *, current: str, kept: int) -> list[str]:
    """Remove all but the last named images of a repository, with the one in use now; return the names removed.

    Clones at other commits share the engine, so the last few stay. Nothing is removed while another run is alive: it
    may be between two containers of just that image.

    Args:
        engine: where.
        role: of the repository's images.
        repository: as `seatrial/slim-gunicorn`.
        current: the hash of the inputs of the image that is used now.
        kept: how many stay, the current one among them.

    """
    if others_alive(engine.run_id):
        return []
    older = [
        (_tagged_at(engine, image), names)
        for image in engine.images_with({ROLE: role})
        if (names := [name for name, of in own_names(image).items() if of == repository])
        and image["Labels"][INPUTS] != current
    ]
    older.sort(reverse=True)
    # Without force, the engine itself refuses to remove what a container uses.
    return [name for _, names in older[max(kept - 1, 0) :] for name in names if engine.remove_image(name)]


def _tagged_at(engine: Engine, image: Mapping[str, Any]) -> float:
    """Return when an image got its last name, in seconds; where the engine does not tell, when it was made.

    When it was made says little: one that adds no layer has its base's moment.
    """
    try:
        inspected = engine.image(image["Id"]) or {}
        return datetime.fromisoformat(inspected["Metadata"]["LastTagTime"]).timestamp()
    except (KeyError, TypeError, ValueError, SeatrialError):
        return float(image.get("Created") or 0)


def remove_untagged(engine: Engine, image_id: str) -> bool:
    """Remove an image that a rebuild has left without a tag; say whether it is gone."""
    there = engine.image(image_id)
    return bool(there is not None and not there.get("RepoTags") and engine.remove_image(image_id))


def others_alive(run_id: str) -> bool:
    """Say whether a run other than this one is going on."""
    return any(other != run_id for other in living_runs())
