"""Changing the container's own limits."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="write-cgroup",
    title="The container's own cgroup cannot be changed",
    severity=Severity.HIGH,
    group=Group.FILES,
    rationale="Who can write there lifts the container's limits; on cgroup v1 release_agent even runs programs "
    "outside.",
    remediation="Leave /sys/fs/cgroup read-only, as the engine mounts it: no --privileged; do not run as root.",
)
ROOT = "/sys/fs/cgroup"
NAMES = ("notify_on_release", "cgroup.max.depth", "cgroup.clone_children")


def attack(kit: Kit) -> None:
    """Write back a setting's own value, and try to make a cgroup below."""
    folders = [ROOT, *sorted(os.path.join(ROOT, name) for name in _listed(ROOT))]
    places = [folder for folder in folders if any(os.path.isfile(os.path.join(folder, name)) for name in NAMES)]
    if not places:
        kit.absent("write to " + ROOT, "no cgroup is mounted there")
    for folder in places[:14]:
        path = next(p for p in (os.path.join(folder, name) for name in NAMES) if os.path.isfile(p))
        kit.write_back(path)
    for folder in places[:1]:
        below = os.path.join(folder, "seatrial-" + kit.facts["nonce"])
        try:
            os.mkdir(below)
        except OSError as error:
            kit.refused("make a cgroup in " + folder, error.errno)
        else:
            os.rmdir(below)
            kit.succeeded("make a cgroup in " + folder, "made and removed")


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
