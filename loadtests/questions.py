"""Which ways of running a variant an experiment sets against each other: one thing changed at a time. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.errors import UsageError
from harness.model import Image, RunProfile
from loadtests.setting import Cores, Setting

WORKER_STEPS = (1, 2, 4)
THREAD_STEPS = (1, 4, 8)
CLASS_THREADS = 8
MEGABYTE = 1 << 20
GUNICORN_ARGUMENTS = "GUNICORN_CMD_ARGS"
"""gunicorn reads it after its configuration file, so it wins over that, in any app."""

FLAGS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("user", ("user", "user_if_root"), "a user other than root"),
    ("read-only", ("read_only", "tmpfs"), "read-only root, with a tmpfs"),
    ("cap-drop", ("cap_drop", "cap_add"), "capabilities dropped: {cap_drop}"),
    ("no-new-privileges", ("no_new_privileges",), "no new privileges"),
    ("seccomp", ("seccomp",), "seccomp profile {seccomp}"),
    ("pids", ("pids_limit",), "at most {pids_limit} processes"),
    ("memory", ("memory_bytes",), "memory limit of {memory_mb} MB"),
    ("ulimits", ("ulimits",), "limits on open files and the like"),
    ("sysctls", ("sysctls",), "kernel settings of its namespaces"),
)
"""Name -> the run profile's fields that belong to it, and how it is told. The CPU limit is apart: it is no overhead."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way to run a variant.

    Args:
        name: short, for tables and file names.
        what: what it differs in, in words.
        setting: how its trials are made.
        baseline: the arm that it is set against; None for one that others are set against.
        method: `slices` where both sides have the same cores, workers and no CPU limit; else `rounds`.
        starts: whether its start-up is timed too.
        endpoint: the one that is asked; empty for the load profile's mix.

    """

    name: str
    what: str
    setting: Setting
    baseline: str | None = None
    method: Literal["rounds", "slices"] = "rounds"
    starts: bool = False
    endpoint: str = ""


def hardening(setting: Setting, plain: RunProfile, hardened: RunProfile) -> tuple[Arm, ...]:
    """Return the plain flags, each hardened flag alone on top of them, all of them, and the CPU limit by itself.

    Args:
        setting: the run's.
        plain: the flags that others are set against.
        hardened: the flags whose cost is asked.

    """
    base = plain.model_copy(update={"cpus": None})
    whole = hardened.model_copy(update={"cpus": None})
    arms = [Arm(name=plain.name, what=f"run profile {plain.name}", setting=_with(setting, base), starts=True)]
    for name, profile, what in flags(base, whole):
        arms.append(
            Arm(name=f"+{name}", what=what, setting=_with(setting, profile), baseline=plain.name, method="slices")
        )
    every = f"all flags of the run profile {hardened.name}, but for its CPU limit"
    arms.append(
        Arm(name=hardened.name, what=every, setting=_with(setting, whole), baseline=plain.name, method="slices")
    )
    # Under load at full concurrency, with memory and start-up, which slices do not tell.
    rounds = f"{hardened.name}, by rounds"
    arms.append(Arm(name=rounds, what=every, setting=_with(setting, whole), baseline=plain.name, starts=True))
    if hardened.cpus is not None:
        # A slice hides a limit, so this one is a row of its own, by rounds: without it and with it.
        limit = f"the same with its CPU limit of {hardened.cpus:g}"
        arms.append(Arm(name="CPU limit", what=limit, setting=_with(setting, hardened), baseline=rounds, starts=True))
    return tuple(arms)


def flags(plain: RunProfile, hardened: RunProfile) -> list[tuple[str, RunProfile, str]]:
    """Return each flag in which two run profiles differ: its name, the plain profile with it, and what it is."""
    found = []
    for name, fields, what in FLAGS:
        changed = {one: getattr(hardened, one) for one in fields if getattr(hardened, one) != getattr(plain, one)}
        if changed:
            profile = plain.model_copy(update={**changed, "name": f"{plain.name}-{name}"})
            values = {key: _text(value) for key, value in hardened.model_dump().items()}
            values["memory_mb"] = f"{(hardened.memory_bytes or 0) / MEGABYTE:.0f}"
            found.append((name, profile, what.format(**values)))
    return found


def path(setting: Setting, host_port: int, published_port: int) -> tuple[Arm, ...]:
    """Return the three ways from generator to target.

    Args:
        setting: the run's.
        host_port: a port that is free on the host.
        published_port: another one.

    """
    inside = dataclasses.replace(setting, path="namespace")
    host = dataclasses.replace(setting, path="host", port=host_port)
    published = dataclasses.replace(setting, path="published", port=published_port)
    return (
        Arm(name="namespace", what="both in one network namespace of their own", setting=inside),
        Arm(name="host", what="both on the host's network", setting=host, baseline="namespace"),
        Arm(
            name="published",
            what="the target on the engine's bridge, through a port published on 127.0.0.1",
            setting=published,
            baseline="namespace",
        ),
    )


def plain_process(setting: Setting, port: int) -> tuple[Arm, ...]:
    """Return the container on the host's network, and the same files as a plain process, neither with a CPU limit.

    Args:
        setting: the run's.
        port: one that is free on the host.

    """
    free = setting.run_profile.model_copy(update={"cpus": None})
    inside = dataclasses.replace(setting, run_profile=free, path="host", port=port)
    container = f"in a container, run profile {free.name} without its CPU limit, on the host's network"
    return (
        Arm(name="container", what=container, setting=inside),
        Arm(
            name="process", what="the same files under chroot, as a plain process", setting=inside, baseline="container"
        ),
    )


def cpus(setting: Setting, all_cores: Sequence[int]) -> tuple[Arm, ...]:
    """Return a limit of half a core, of one, and all the cores that there are."""
    free = setting.run_profile.model_copy(update={"cpus": None})
    half, one = (setting.run_profile.model_copy(update={"cpus": limit}) for limit in (0.5, 1.0))
    arms = [
        Arm(name="1", what="limited to one core", setting=_with(setting, one)),
        Arm(name="0.5", what="limited to half a core", setting=_with(setting, half), baseline="1"),
    ]
    if len(all_cores) > 1:
        every = ",".join(map(str, all_cores))
        cores = Cores(target=every, generator=setting.cores.generator)
        what = f"no limit, on all {len(all_cores)} cores, the generator's among them"
        arms.append(
            Arm(
                name="all",
                what=what,
                setting=dataclasses.replace(_with(setting, free), cores=cores),
                baseline="1",
            )
        )
    return tuple(arms)


def workers(
    setting: Setting, worker_steps: Sequence[int] = WORKER_STEPS, thread_steps: Sequence[int] = THREAD_STEPS
) -> tuple[Arm, ...]:
    """Return gunicorn's own setting in the image, and each number of workers with each number of threads."""
    arms = [Arm(name="as built", what="what the image's own settings say", setting=setting)]
    for count in worker_steps:
        for threads in thread_steps:
            arguments = f"--workers {count} --threads {threads} --worker-class {'gthread' if threads > 1 else 'sync'}"
            arms.append(
                Arm(
                    name=f"{count}x{threads}",
                    what=f"{count} worker{'s' * (count > 1)} of {threads} thread{'s' * (threads > 1)}",
                    setting=with_arguments(setting, arguments),
                    baseline="as built",
                )
            )
    return tuple(arms)


def classes(setting: Setting, endpoints: Sequence[str]) -> tuple[Arm, ...]:
    """Return, for each endpoint, one sync worker, gunicorn's usual advice of sync workers, and one worker of threads.

    Args:
        setting: the run's.
        endpoints: each is asked alone; where there are none, the load profile's mix is asked.

    """
    cores = max(1, math.ceil(setting.target_cores))
    advice = 2 * cores + 1
    ways = (
        ("sync", "one worker that answers one request at a time", "--workers 1 --threads 1 --worker-class sync"),
        (f"sync x{advice}", f"{advice} such workers, gunicorn's usual advice",
         f"--workers {advice} --threads 1 --worker-class sync"),
        ("gthread", f"one worker with {CLASS_THREADS} threads",
         f"--workers 1 --threads {CLASS_THREADS} --worker-class gthread"),
    )  # fmt: skip
    arms = []
    for endpoint in tuple(endpoints) or ("",):
        profile = setting.load_profile
        if endpoint:
            profile = profile.model_copy(update={"journeys": {endpoint: 1}})
        asked = dataclasses.replace(setting, load_profile=profile)
        prefix, where = (f"{endpoint}, ", f" asked for {endpoint}") if endpoint else ("", "")
        for name, what, arguments in ways:
            arms.append(
                Arm(
                    name=f"{prefix}{name}",
                    what=f"{what},{where}" if where else what,
                    setting=with_arguments(asked, arguments),
                    baseline=None if name == "sync" else f"{prefix}sync",
                    endpoint=endpoint,
                )
            )
    return tuple(arms)


def with_arguments(setting: Setting, arguments: str) -> Setting:
    """Return a setting whose gunicorn is given arguments beside its own."""
    return dataclasses.replace(setting, env={**setting.env, GUNICORN_ARGUMENTS: arguments})


def _with(setting: Setting, profile: RunProfile) -> Setting:
    return dataclasses.replace(setting, run_profile=profile)


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def refuse_no_gunicorn(image: Image) -> None:
    """Refuse an image that is not started by gunicorn, or whose command already says what is to be varied.

    Raises:
        UsageError: it is one of these.

    """
    words = [*image.entrypoint, *image.command]
    if not any(word.rpartition("/")[2] == "gunicorn" for word in words):
        raise UsageError(f"{image.variant} is not started by gunicorn, so it has no workers to vary.")
    set_there = ("-w", "--workers", "--threads", "-k", "--worker-class")
    fixed = [word for word in words if word.partition("=")[0] in set_there]
    if fixed:
        raise UsageError(
            f"The command of {image.variant} sets {', '.join(fixed)} itself, which wins over what would be tried.",
            "Set it in gunicorn's configuration file instead.",
        )
