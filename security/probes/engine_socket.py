"""Finding a container engine's socket."""

from __future__ import annotations

import os
import socket
import stat

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="engine-socket",
    title="No container engine's socket can be reached",
    severity=Severity.CRITICAL,
    group=Group.FILES,
    rationale="Who can talk to the engine can start a container that owns the machine.",
    remediation="Mount no engine's socket, nor a folder that holds one.",
)
FOLDERS = ("/run", "/var/run", "/host", "/host/run", "/host/var/run")
NAMES = (
    "docker.sock", "docker/docker.sock", "podman/podman.sock", "containerd/containerd.sock", "crio/crio.sock",
    "docker/containerd/containerd.sock", "k3s/containerd/containerd.sock", "buildkit/buildkitd.sock", "dockershim.sock",
)  # fmt: skip
WORDS = ("docker", "podman", "containerd", "crio", "buildkit")
MOST = 20


def attack(kit: Kit) -> None:
    """Look where engines put their sockets and at what is mounted, and ask each that is there for its health."""
    looked = [os.path.join(folder, name) for folder in FOLDERS for name in NAMES]
    with open("/proc/self/mountinfo") as lines:
        mounted = [line.split()[4] for line in lines]
    looked += [place for place in mounted if place.endswith(".sock") or any(w in place for w in WORDS)]
    found = []
    for path in looked:
        real = os.path.realpath(path)
        try:
            if stat.S_ISSOCK(os.stat(real).st_mode) and real not in found:
                found.append(real)
        except OSError:
            continue
    for path in found[:MOST]:
        _ask(kit, path)
    if not found:
        places = str(len(set(looked))) + " places looked at"
        kit.stopped("find an engine's socket", "no engine's socket is mounted", None, places)


def _ask(kit: Kit, path: str) -> None:
    what = "talk to " + path
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one:
        one.settimeout(1)
        try:
            one.connect(path)
        except OSError as error:
            kit.refused(what, error.errno)
            return
        try:
            one.sendall(b"GET /_ping HTTP/1.0\r\nHost: localhost\r\n\r\n")
            kit.succeeded(what, "connected; " + str(len(one.recv(512))) + " bytes came back")
        except OSError:
            kit.succeeded(what, "connected; no answer")
