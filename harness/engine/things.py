"""What Seatrial has in an engine, told by its labels: listed, and removed. Nothing without them is ever touched."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import docker
import docker.errors

from harness.engine import labels
from harness.engine.client import EngineRefused, told
from harness.engine.images import own_names
from harness.engine.labels import Role


class Kind(StrEnum):
    """The four kinds of things in an engine, in the order in which they can be removed."""

    CONTAINER = "container"
    VOLUME = "volume"
    NETWORK = "network"
    IMAGE = "image"


NEVER_RUN = (Role.BASE, Role.VARIANT)
"""Roles of images alone: what runs for Seatrial has one of its own."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One container, volume, network or image that carries Seatrial's labels."""

    kind: Kind
    id: str
    name: str
    run_id: str | None
    """The run that made it; None for an image whose labels name none."""
    role: str
    variant: str | None
    state: str = ""
    """A container's state in the engine's word: running, exited, created."""
    names: tuple[str, ...] = ()
    """Of an image: the names that Seatrial gave it. Others that it has are somebody else's, and stay."""
    size_bytes: int | None = None
    """Of an image, uncompressed, layers that it shares with others included."""


def of_runs(client: docker.DockerClient) -> list[Thing]:
    """Return the containers, volumes and networks of all runs.

    A container takes on the labels of its image: one that a user started from an image of ours is the user's. It is
    told by its role, which is an image's.
    """
    wanted = {"label": labels.RUN}
    with told("listing Seatrial's things"):
        containers = client.api.containers(all=True, filters=wanted)
        volumes = client.api.volumes(filters=wanted)["Volumes"] or []
        networks = client.api.networks(filters=wanted)
    found = [
        *(
            _thing(
                Kind.CONTAINER, c["Id"], (c["Names"] or [c["Id"][:12]])[0].lstrip("/"), c["Labels"], state=c["State"]
            )
            for c in containers
        ),
        *(_thing(Kind.VOLUME, v["Name"], v["Name"], v["Labels"]) for v in volumes),
        *(_thing(Kind.NETWORK, n["Id"], n["Name"], n["Labels"]) for n in networks),
    ]
    return [thing for thing in found if thing.role not in NEVER_RUN]


def images(client: docker.DockerClient) -> list[Thing]:
    """Return the images that Seatrial made and named: bases, variants and the load generator.

    What a user built from one of them has its labels too, and is the user's.
    """
    with told("listing Seatrial's images"):
        found = client.api.images(filters={"label": [labels.ROLE, labels.INPUTS]})
    return [
        _thing(Kind.IMAGE, i["Id"], names[0], i["Labels"], names=names, size_bytes=i["Size"])
        for i in found
        if (names := tuple(own_names(i)))
    ]


def remove(client: docker.DockerClient, things: Iterable[Thing]) -> list[str]:
    """Remove things, containers first; return in a line each what could not be removed. What is gone is no error."""
    failures = []
    order = list(Kind)
    for thing in sorted(things, key=lambda one: order.index(one.kind)):
        try:
            with suppress(docker.errors.NotFound), told(f"removing the {thing.kind} {thing.name}"):
                _remove_one(client, thing)
        except EngineRefused as error:
            failures.append(error.message)
    return failures


def empty_build_cache(client: docker.DockerClient) -> int:
    """Empty an engine's whole build cache, whoever filled it; return the bytes that are free now."""
    with told("emptying its build cache"):
        return int(client.api.prune_builds(all=True).get("SpaceReclaimed") or 0)


def _remove_one(client: docker.DockerClient, thing: Thing) -> None:
    match thing.kind:
        case Kind.CONTAINER:
            client.api.remove_container(thing.id, force=True, v=True)
        case Kind.VOLUME:
            client.api.remove_volume(thing.id, force=True)
        case Kind.NETWORK:
            client.api.remove_network(thing.id)
        case Kind.IMAGE:
            # By our names only: by its id, it would lose the names that others gave it.
            for name in thing.names:
                client.api.remove_image(name)


def _thing(
    kind: Kind,
    id: str,
    name: str,
    labelled: dict[str, str] | None,
    *,
    state: str = "",
    names: tuple[str, ...] = (),
    size_bytes: int | None = None,
) -> Thing:
    words: dict[str, Any] = labelled or {}
    return Thing(
        kind=kind,
        id=id,
        name=name,
        run_id=words.get(labels.RUN),
        role=words.get(labels.ROLE, ""),
        variant=words.get(labels.VARIANT),
        state=state,
        names=names,
        size_bytes=size_bytes,
    )
