"""No sensitive folder of the machine is mounted, not even to be read."""

from __future__ import annotations

import posixpath

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import Mount, RunningContainer

SENSITIVE = (
    "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sys", "/usr", "/root", "/bin", "/sbin",
    "/run", "/var/run", "/var/lib/docker", "/var/lib/containerd", "/var/lib/kubelet", "/var/log",
)  # fmt: skip
CHECK = Check(
    id="CIS-5.6",
    title="No sensitive folder of the machine is mounted, not even to be read",
    severity=Severity.HIGH,
    rationale="Keys and passwords lie in them, and what runs at the next start; reading is enough for the first.",
    remediation="Mount one folder of the app's own, or a volume.",
    good=[
        RunningContainer(),
        RunningContainer(mounts=(Mount(type="bind", source="/srv/app/data", destination="/data"),)),
        RunningContainer(mounts=(Mount(type="volume", source="/var/lib/docker/volumes/v/_data", destination="/etc"),)),
    ],
    bad=[
        RunningContainer(mounts=(Mount(type="bind", source="/etc", destination="/host", writable=False),)),
        RunningContainer(mounts=(Mount(type="bind", source="/", destination="/host"),)),
        RunningContainer(mounts=(Mount(type="bind", source="/root/.ssh", destination="/keys", writable=False),)),
        RunningContainer(mounts=(Mount(type="bind", source="/proc/", destination="/p", writable=False),)),
        RunningContainer(mounts=(Mount(type="bind", source="/srv/../etc", destination="/host"),)),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Look at bind mounts, read-only ones too, of such a folder or of anything below it."""
    evidence = []
    for mount in container.mounts:
        source = posixpath.normpath(mount.source)
        if mount.type == "bind" and (
            source == "/" or any(source == at or source.startswith(at + "/") for at in SENSITIVE)
        ):
            evidence.append(
                f"{source}: mounted at {mount.destination}, {'writable' if mount.writable else 'read-only'}"
            )
    return failed_or_passed(evidence)
