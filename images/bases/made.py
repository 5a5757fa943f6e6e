"""Made bases in the engine: imported from the cache's tar, under the hash of what they are made of."""

from __future__ import annotations

import hashlib
import json
import platform
import threading

from harness.engine import labels
from harness.engine.client import Engine, machine_name
from harness.errors import ToolMissing
from harness.locks import waiting_lock
from harness.model import BaseImage, BaseSource, Say
from images import wheels
from images.bases.making import MadeRecord, Making
from images.bases.recipes import BaseRecipe


def make_or_reuse(
    recipe: BaseRecipe,
    engine: Engine,
    *,
    say: Say,
    refresh: bool = False,
    cancel: threading.Event | None = None,
) -> BaseImage:
    """Return a made base that is in the engine: as it is there, or from the cache's tar, or made now.

    Raises:
        BuildFailed: it cannot be made.
        ToolMissing: a program that makes it is missing and may not be installed.
        Interrupted: `cancel` was set.

    """
    making = Making(recipe=recipe, machine=makable_machine(recipe, engine), say=say, cancel=cancel)
    tar = making.tar
    tar.parent.mkdir(parents=True, exist_ok=True)
    with waiting_lock(tar.with_name(f".{tar.stem}.lock")):
        record = making.fresh_record(refresh=refresh)
        image_id = in_engine(engine, *name_of(recipe, record))
        if image_id is None:
            # The cache may be emptied or damaged by anyone at any time.
            if not tar.is_file() or wheels.sha256_of(tar) != record.tar_sha256:
                record = making.make()
            tag, inputs = name_of(recipe, record)
            # One each: Podman takes all that follows the first for its value.
            marks = [f"LABEL {labels.ROLE}={labels.Role.BASE}", f"LABEL {labels.INPUTS}={inputs}"]
            with tar.open("rb") as stream:
                image_id = engine.load_filesystem(stream, tag=tag, changes=[*changes(recipe), *marks])
    return BaseImage(
        name=recipe.name,
        public=recipe.public,
        reference=name_of(recipe, record)[0],
        digest=image_id,
        source=BaseSource.PACKAGES,
        stand_in_for=f"A stand-in for {recipe.public}: {recipe.differs}.",
        wheelhouse_bytes=record.wheelhouse_bytes,
    )


def name_of(recipe: BaseRecipe, record: MadeRecord) -> tuple[str, str]:
    """Return a made base's tag, and the hash of its files and configuration, which the tag begins."""
    inputs = hashlib.sha256("\n".join([record.tar_sha256, *changes(recipe)]).encode()).hexdigest()
    return f"seatrial-base/{recipe.name}:{inputs[:12]}", inputs


def changes(recipe: BaseRecipe) -> list[str]:
    """Return a made image's configuration as Dockerfile instructions."""
    config = recipe.config
    found = [f"ENV {name}={json.dumps(value)}" for name, value in config.env.items()]
    found += [f"ENTRYPOINT {json.dumps(config.entrypoint)}"] if config.entrypoint else []
    found += [f"CMD {json.dumps(config.cmd)}"] if config.cmd else []
    found += [f"USER {config.user}"] if config.user else []
    found += [f"WORKDIR {config.workdir}"] if config.workdir else []
    return found


def in_engine(engine: Engine, tag: str, inputs: str) -> str | None:
    """Return the id of the image that a tag names, if it is one that was made of the same inputs."""
    found = engine.image(tag)
    if found is None or ((found.get("Config") or {}).get("Labels") or {}).get(labels.INPUTS) != inputs:
        return None
    return str(found["Id"])


def makable_machine(recipe: BaseRecipe, engine: Engine) -> str:
    """Return the engine's machine, if a base can be made for it here: Debian's programs run while one is made.

    Raises:
        ToolMissing: the engine is on another kind of machine than this.

    """
    here, there = machine_name(platform.machine()), engine.machine
    if here != there and recipe.maker != "alpine":
        raise ToolMissing(
            f"The base {recipe.name} cannot be made from packages here ({here}) for an engine on {there}.",
            "Use `--bases registry`.",
        )
    return there
