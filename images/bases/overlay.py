"""A wheelhouse laid over a public base, so that an unpinned `pip install` resolves the same way with no network."""

from __future__ import annotations

import hashlib
import threading

from harness.engine import labels
from harness.engine.client import ContainerSpec, Engine, told
from harness.model import BaseImage, Say
from images import wheels
from images.bases import debian
from images.bases.made import in_engine
from images.bases.recipes import FOLDER, BaseRecipe
from images.bases.rootfs import Rootfs
from images.wheels import Wheelhouse


def with_wheelhouse(
    base: BaseImage, recipe: BaseRecipe, engine: Engine, *, say: Say, cancel: threading.Event | None = None
) -> BaseImage:
    """Return a base like `base` with the recipe's wheelhouse for the public image's Python, and a pip.conf.

    Args:
        base: a pulled base that the engine has.
        recipe: with `registry_wheelhouse`.
        engine: where it is made; nothing is run in it.
        say: told when wheels are downloaded.
        cancel: once set, a download is stopped.

    Raises:
        BuildFailed: a wheel cannot be had.

    """
    spec = recipe.registry_wheelhouse
    if spec is None:
        return base
    target = wheels.Target(python=spec.python, libc="glibc", libc_minor=spec.libc_minor, machine=engine.machine)
    wheelhouse = wheels.fetch(FOLDER / spec.lock, target, say=say, cancel=cancel)
    inputs = hashlib.sha256(
        "\n".join(
            [base.digest, debian.PIP_CONF, *(f"{p.name} {wheels.sha256_of(p)}" for p in wheelhouse.files)]
        ).encode()
    ).hexdigest()
    tag = f"seatrial-base/{recipe.name}:{inputs[:12]}"
    if in_engine(engine, tag, inputs) is None:
        _commit(base, wheelhouse, engine, tag=tag, inputs=inputs)
    return base.model_copy(update={"reference": tag, "wheelhouse_bytes": debian.wheelhouse_bytes(wheelhouse)})


def _commit(base: BaseImage, wheelhouse: Wheelhouse, engine: Engine, *, tag: str, inputs: str) -> None:
    """Put the files into a container that is never started, and keep that as an image."""
    files = Rootfs()
    debian.add_wheelhouse(files, wheelhouse)
    repository, _, name = tag.rpartition(":")
    # A container's archive can only be written to while its root is writable, so none of Seatrial's own limits here.
    spec = ContainerSpec(image=base.reference, role=labels.Role.BUILD, overrides={"read_only": False, "tmpfs": {}})
    container = engine.create(spec)
    try:
        with told(f"making {tag}"):
            container.put_archive("/", files.to_bytes())
            engine.api.commit(
                str(container.id),
                repository=repository,
                tag=name,
                changes=f"LABEL {labels.ROLE}={labels.Role.BASE} {labels.INPUTS}={inputs}",
            )
    finally:
        engine.remove(container)
