"""No container engine's socket is mounted."""

from __future__ import annotations

import posixpath

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import Mount, RunningContainer

SOCKETS = (
    "/run/docker.sock", "/run/podman/podman.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock",
    "/run/docker/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock", "/run/buildkit/buildkitd.sock",
)  # fmt: skip
NAMES = tuple(posixpath.basename(socket) for socket in SOCKETS)
CHECK = Check(
    id="CIS-5.32",
    title="No container engine's socket is mounted",
    severity=Severity.CRITICAL,
    rationale="Who can talk to the engine can start a container that owns the machine.",
    remediation="Mount no engine's socket, nor a folder that holds one.",
    good=[RunningContainer(), RunningContainer(mounts=(Mount(type="bind", source="/srv/data", destination="/data"),))],
    bad=[
        RunningContainer(
            mounts=(
                Mount(type="bind", source="/var/run/docker.sock", destination="/var/run/docker.sock", writable=False),
            )
        ),
        RunningContainer(mounts=(Mount(type="bind", source="/run/podman", destination="/p"),)),
        RunningContainer(mounts=(Mount(type="bind", source="/run", destination="/host/run"),)),
        RunningContainer(
            mounts=(Mount(type="bind", source="/srv/x.sock", destination="/run/containerd/containerd.sock"),)
        ),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Look for the sockets of five engines, by their source, their destination, and a folder above them."""
    found = [mount for mount in container.mounts if _is_socket(mount) or _holds_socket(mount)]
    return failed_or_passed([f"{mount.source}: mounted at {mount.destination}" for mount in found])


def _is_socket(mount: Mount) -> bool:
    at_its_place = any(posixpath.normpath(mount.destination) in _both(socket) for socket in SOCKETS)
    return at_its_place or (mount.type == "bind" and posixpath.basename(mount.source.rstrip("/")) in NAMES)


def _holds_socket(mount: Mount) -> bool:
    above = posixpath.normpath(mount.source).rstrip("/") + "/"
    return mount.type == "bind" and any(path.startswith(above) for socket in SOCKETS for path in _both(socket))


def _both(socket: str) -> tuple[str, str]:
    """Return a socket's path under /run and under /var/run, which is the same folder."""
    return socket, "/var" + socket
