"""Volumes for the length of a block: in memory, between containers without a network, or with files brought in."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import docker.errors

from harness.engine import labels
from harness.engine.client import Container, ContainerSpec, Engine, EngineRefused, told
from harness.model import RunProfile

FILLED = "/seatrial"
"""Where a volume is while it is filled."""


@contextmanager
def memory_volume(engine: Engine, role: labels.Role, *, uid: int, size_bytes: int = 1 << 20) -> Iterator[str]:
    """Make a tmpfs volume that belongs to one user for the length of a block; yield its name.

    What is in it lasts as long as a container uses it. All containers with it must be gone at the block's end.

    Args:
        engine: where.
        role: what it is for, for its label.
        uid: the only user who may read or write in it.
        size_bytes: the most that it holds.

    Raises:
        EngineRefused: the engine has no such volumes.

    """
    name = engine.new_name(role, "vol")
    how = {"type": "tmpfs", "device": "tmpfs", "o": f"size={size_bytes},uid={uid},mode=0700"}
    with told(f"making the volume {name}"):
        volume = engine.client.volumes.create(
            name, driver="local", driver_opts=how, labels=labels.of(engine.run_id, role)
        )
    try:
        yield name
    finally:
        with suppress(docker.errors.NotFound), told(f"removing the volume {name}"):
            volume.remove(force=True)


@contextmanager
def filled_volume(engine: Engine, role: labels.Role, tar: bytes, *, image: str) -> Iterator[str]:
    """Make a volume with files in it for the length of a block; yield its name.

    It is filled through a container that is never started, since an engine copies nothing into a read-only one. All
    containers with it must be gone at the block's end.

    Args:
        engine: where.
        role: what it is for, for its label.
        tar: what goes into it, uncompressed; owners and modes are kept.
        image: any image that the engine has.

    Raises:
        EngineRefused: the engine would not take the files.

    """
    name = engine.new_name(role, "vol")
    with told(f"making the volume {name}"):
        volume = engine.client.volumes.create(name, labels=labels.of(engine.run_id, role))
    try:
        spec = ContainerSpec(
            image=image,
            role=role,
            profile=RunProfile(name="filling", title="Never started"),
            volumes={name: {"bind": FILLED, "mode": "rw"}},
        )
        container = engine.create(spec)
        try:
            with told(f"filling the volume {name}"):
                container.put_archive(FILLED, tar)
        finally:
            engine.remove(container)
        yield name
    finally:
        with suppress(docker.errors.NotFound), told(f"removing the volume {name}"):
            volume.remove(force=True)


def read_file(engine: Engine, container: Container, path: str) -> bytes:
    """Return a file's bytes out of a container, running or ended.

    Raises:
        EngineRefused: there is no such file, or it is no plain one.

    """
    with told(f"reading {path} in {container.name}"):
        try:
            parts, _ = container.get_archive(path)
        except docker.errors.NotFound as error:
            raise EngineRefused(f"There is no {path} in the container {container.name}.") from error
        data = b"".join(parts)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = next(iter(archive), None)
        stream = archive.extractfile(member) if member is not None else None
        if stream is None:
            raise EngineRefused(f"{path} in the container {container.name} is no file.")
        return stream.read()
