"""The two sides of a sliced comparison: what each is, and what makes the two incomparable by slices."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness import interpreters
from harness.engine.client import ContainerSpec, Engine
from harness.engine.labels import Role
from harness.errors import UsageError
from harness.model import Image, RunProfile, SlicedSide
from loadtests.setting import PORT, Cores

STATED = ("WEB_CONCURRENCY", "THREADS")
FLAGS = {"-w": "WEB_CONCURRENCY", "--workers": "WEB_CONCURRENCY", "--threads": "THREADS"}
"""gunicorn's options for the same, which win over the variables."""
ARGUMENTS = "GUNICORN_CMD_ARGS"
ROUNDS_HINT = "Compare them by interleaved rounds: `seatrial load`."


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side: an image, and how its container is started."""

    image: Image
    run_profile: RunProfile
    entrypoint: Sequence[str] | None = None
    """Replaces the image's; None leaves it."""
    command: Sequence[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)

    def spec(self, namespace: str, cores: Cores) -> ContainerSpec:
        """Return its container, in the namespace of a connector."""
        return ContainerSpec(
            image=self.image.digest,
            role=Role.TARGET,
            variant=self.image.variant,
            profile=self.run_profile.model_copy(update={"publish": {}}),
            network=namespace,
            cpuset=cores.target,
            env={"PORT": str(PORT), **self.env},
            entrypoint=self.entrypoint,
            command=self.command,
        )


def check(a: Side, b: Side, engine: Engine) -> None:
    """Refuse what slices cannot compare.

    Raises:
        UsageError: a side has a CPU limit, the two state other workers or threads, or an image is gone.

    """
    for name, side in (("A", a), ("B", b)):
        if side.run_profile.cpus is not None:
            raise UsageError(
                f"The run profile {side.run_profile.name} of side {name} ({side.image.variant}) has a CPU limit of "
                f"{side.run_profile.cpus:g}. A slice hides a limit: each side rests while the other is asked.",
                "Take it off on both sides with --without-quota, or compare by interleaved rounds: `seatrial load`.",
            )
    mine, theirs = stated(a, engine), stated(b, engine)
    for what in STATED:
        if mine.get(what) != theirs.get(what):
            raise UsageError(
                f"{what} is {mine.get(what, 'not set')} on side A ({a.image.variant}) and "
                f"{theirs.get(what, 'not set')} on side B ({b.image.variant}). One connection in turn sees one worker, "
                "so slices do not compare workers and threads.",
                ROUNDS_HINT,
            )


def check_container(name: str, document: Mapping[str, object], cores: Cores) -> None:
    """Refuse a container that the engine made with a CPU limit, or with other cores, whatever its run profile says.

    Args:
        name: which side, for the message.
        document: the engine's inspect document.
        cores: where it should run.

    Raises:
        UsageError: it has one.

    """
    host = document.get("HostConfig")
    options: Mapping[str, object] = host if isinstance(host, dict) else {}
    limits = [f"{key} {value}" for key in ("NanoCpus", "CpuQuota") if (value := options.get(key)) not in (None, 0, -1)]
    if limits:
        raise UsageError(
            f"The container of side {name} has a CPU limit ({', '.join(limits)}), which a slice hides.", ROUNDS_HINT
        )
    if options.get("CpusetCpus") != cores.target:
        raise UsageError(
            f"The container of side {name} runs on the cores {options.get('CpusetCpus')!r} and not on {cores.target!r}."
            " Slices compare what runs on the same core.",
            ROUNDS_HINT,
        )


def stated(side: Side, engine: Engine) -> dict[str, str]:
    """Return what an image, its command and its side say of workers and threads; what none of them says is left out.

    Raises:
        UsageError: the engine has no such image.

    """
    found = engine.image(side.image.digest)
    if found is None:
        raise UsageError(f"The engine has no image of {side.image.variant}.", f"`seatrial build {side.image.variant}`")
    config = found.get("Config") or {}
    variables = dict(entry.partition("=")[::2] for entry in config.get("Env") or ()) | dict(side.env)
    words = [*(side.entrypoint or config.get("Entrypoint") or ()), *(side.command or config.get("Cmd") or ())]
    settings = {name: variables[name] for name in STATED if variables.get(name)}
    return settings | _flags(str(variables.get(ARGUMENTS, "")).split()) | _flags(words)


def _flags(words: Sequence[str]) -> dict[str, str]:
    found = {}
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        short = re.fullmatch(r"-w(\d+)", word)
        if short:
            found[FLAGS["-w"]] = short[1]
        elif name in FLAGS and equals:
            found[FLAGS[name]] = value
        elif word in FLAGS and place + 1 < len(words):
            found[FLAGS[word]] = words[place + 1]
    return found


def described(side: Side, engine: Engine) -> SlicedSide:
    """Return what the result says of a side."""
    settings = stated(side, engine)
    return SlicedSide(
        variant=side.image.variant,
        image_digest=side.image.digest,
        run_profile=side.run_profile.name,
        base=interpreters.base_of(side.image),
        stand_in_for=side.image.base.stand_in_for,
        interpreter=interpreters.described(side.image),
        workers=", ".join(f"{name}={value}" for name, value in settings.items()) or "not stated",
    )
