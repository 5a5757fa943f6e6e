"""The limits that a neighbour is given, alone or together, below those of the harness's own. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from harness.errors import UsageError
from harness.model import NeighbourCaps, NeighbourKind, NeighbourLimit, RunProfile, Ulimit

MEGABYTE = 1 << 20
MOST_MEMORY_BYTES = 1 << 30
SHARE_OF_MACHINE = 8
ASKED_SHARE = 0.75
"""Of the harness's own memory limit: so much the neighbour asks for, and so it never meets that limit by itself."""
PIDS, PROCESSES = 512, 400
OPEN_FILES, SOCKETS = 8192, 6000
WRITTEN_BYTES = 512 << 20
DISK_FILE_BYTES = 64 << 20
CONNECTIONS = 32
BUSY_PROCESSES = 4

EVERY_KIND = frozenset(NeighbourKind)


@dataclass(frozen=True)
class Limit:
    """One limit, by the run profile's fields that it is made of, and the kinds that it is tried alone against."""

    name: str
    fields: tuple[str, ...]
    against: frozenset[NeighbourKind]


LIMITS = (
    Limit("cpus", ("cpus",), EVERY_KIND),
    Limit("memory", ("memory_bytes",), frozenset({NeighbourKind.MEMORY, NeighbourKind.PAGE_CACHE})),
    Limit("pids", ("pids_limit",), frozenset({NeighbourKind.FORK})),
    Limit("disk", ("read_only", "tmpfs"), frozenset({NeighbourKind.DISK})),
    Limit("files", ("ulimits",), frozenset({NeighbourKind.SOCKETS})),
    Limit("network", (), frozenset({NeighbourKind.FLOOD})),
)
"""`network` is no field: with it the neighbour has a network of its own, without it the victim's."""
FREED = {"cpus": None, "ulimits": ()}


def caps(machine_memory_bytes: int, seconds: float) -> NeighbourCaps:
    """Return the harness's own limits for a machine: no more than an eighth of its memory, and never over 1 GiB.

    Args:
        machine_memory_bytes: the engine's machine's; 0 where that is not known yet.
        seconds: how long one neighbour is to be at it.

    """
    most = (
        min(MOST_MEMORY_BYTES, machine_memory_bytes // SHARE_OF_MACHINE) if machine_memory_bytes else MOST_MEMORY_BYTES
    )
    return NeighbourCaps(
        memory_bytes=most,
        asked_memory_bytes=int(most * ASKED_SHARE),
        pids=PIDS,
        processes=PROCESSES,
        open_files=OPEN_FILES,
        sockets=SOCKETS,
        file_bytes=most,
        written_bytes=WRITTEN_BYTES,
        flood_connections=CONNECTIONS,
        busy_processes=BUSY_PROCESSES,
        seconds=seconds,
    )


def limits_of(profile: RunProfile, own: NeighbourCaps) -> tuple[NeighbourLimit, ...]:
    """Return the limits that a run profile has for a neighbour, with their values in words.

    Raises:
        UsageError: one lies above the harness's own, or there is none but the network.

    """
    found = [NeighbourLimit(name=limit.name, what=what) for limit in LIMITS if (what := _told(limit.name, profile))]
    nofile = next((one.hard for one in profile.ulimits if one.name == "nofile"), 0)
    for what, value, most in (
        ("memory limit", profile.memory_bytes or 0, own.asked_memory_bytes),
        ("pids limit", profile.pids_limit or 0, own.processes),
        ("limit of open files", nofile, own.sockets),
    ):
        if value > most:
            raise UsageError(
                f"The {what} of the run profile {profile.name}, {value}, is above what a neighbour may use up: {most}.",
                "Name another with --neighbour-profile.",
            )
    if len(found) == 1:
        raise UsageError(f"The run profile {profile.name} limits nothing that a neighbour could be held by.")
    return tuple(found)


def neighbour_profile(chosen: Collection[str], profile: RunProfile, own: NeighbourCaps) -> RunProfile:
    """Return how a neighbour is started: some limits of a run profile, and the harness's own in place of the others."""
    fields = {field: getattr(profile, field) for limit in LIMITS if limit.name in chosen for field in limit.fields}
    ulimits = {"nofile": Ulimit(name="nofile", soft=own.open_files, hard=own.open_files)}
    ulimits |= {one.name: one for one in fields.pop("ulimits", ())}
    ulimits["fsize"] = Ulimit(name="fsize", soft=own.file_bytes, hard=own.file_bytes)
    free = RunProfile(
        name=f"neighbour-{'-'.join(sorted(chosen)) or 'free'}",
        title="A neighbour of the harness's own making",
        cap_drop=("ALL",),
        no_new_privileges=True,
        memory_bytes=own.memory_bytes,
        pids_limit=own.pids,
    )
    return free.model_copy(update={**fields, "ulimits": tuple(ulimits.values())})


def victim_profile(profile: RunProfile, own: NeighbourCaps, *, limited: bool) -> RunProfile:
    """Return how the victim is started: as its run profile says, or without its limits but within the harness's own."""
    if limited:
        return profile
    return profile.model_copy(update={**FREED, "memory_bytes": own.memory_bytes, "pids_limit": own.pids})


def victim_limits(profile: RunProfile) -> str:
    """Say what a run profile limits of the victim itself."""
    named = [_told(name, profile) for name in ("cpus", "memory", "pids", "files")]
    return ", ".join(one for one in named if one) or "nothing"


def _told(name: str, profile: RunProfile) -> str:
    nofile = next((one.hard for one in profile.ulimits if one.name == "nofile"), None)
    written = " and ".join(f"{path} ({how})" for path, how in profile.tmpfs.items())
    return {
        "cpus": f"{profile.cpus:g} CPUs" if profile.cpus else "",
        "memory": f"{profile.memory_bytes / MEGABYTE:.0f} MB of memory" if profile.memory_bytes else "",
        "pids": f"{profile.pids_limit} processes" if profile.pids_limit else "",
        "disk": f"a read-only root, and {written or 'nothing'} to write to" if profile.read_only else "",
        "files": f"{nofile} open files" if nofile else "",
        "network": "a network of its own, and not the victim's",
    }[name]
