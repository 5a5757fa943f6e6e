"""Where Seatrial's own engine keeps its things, and how its two programs are set up; nothing lies elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engine import bridge, processes
from harness.errors import EngineMissing
from harness.paths import data_dir, state_dir

SHUTDOWN_S = 5
"""What dockerd gives its containers to end when it is stopped."""
SOCKET_PATH_LIMIT = 107
"""Bytes that the path of a Unix socket may have (unix(7): 108 with the closing zero)."""
LONGEST_SUFFIX = len("/libnetwork/0123456789ab.sock")
KEPT_OF_SOMEONE_ELSES_CONFIG = ("registry-mirrors", "insecure-registries")
DOCKERS_BRIDGE = "docker0"
SYSTEM_CONFIG = Path("/etc/docker/daemon.json")

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where Seatrial's own engine keeps its things."""

    home: Path
    exec_root: Path
    data_root: Path

    @classmethod
    def of_user(cls) -> Files:
        """Return the places under the user's XDG folders."""
        home = state_dir() / "engine"
        exec_root = home / "exec"
        if len(os.fsencode(exec_root)) + LONGEST_SUFFIX > SOCKET_PATH_LIMIT:
            # Sockets live in there, and their paths must be short.
            exec_root = Path(f"/run/seatrial-{_short_hash(home)}")
        return cls(home=home, exec_root=exec_root, data_root=data_dir() / "engine")

    @property
    def socket(self) -> Path:
        """The engine's API."""
        return self.exec_root / "docker.sock"

    @property
    def host(self) -> str:
        """The engine's address, as `docker --host` takes it."""
        return f"unix://{self.socket}"

    @property
    def containerd_socket(self) -> Path:
        """Named by dockerd, and by the shim of every container."""
        return self.exec_root / "containerd.sock"

    @property
    def dockerd_config(self) -> Path:
        """Its path is an argument of our dockerd and of no other."""
        return self.home / "dockerd.json"

    @property
    def containerd_config(self) -> Path:
        """Its path is an argument of our containerd and of no other."""
        return self.home / "containerd.toml"

    @property
    def pid_file(self) -> Path:
        """Written by dockerd."""
        return self.home / "dockerd.pid"

    @property
    def bridge(self) -> str:
        """The bridge's name: at most 15 characters, and no other user's."""
        return f"seatrial-{_short_hash(self.home)[:6]}"

    @property
    def keep_mark(self) -> Path:
        """Is there while the engine shall stay when its last user goes."""
        return self.home / "keep"

    @property
    def users_lock(self) -> Path:
        """Held together by all who use the engine."""
        return self.home / "users.lock"

    @property
    def transition_lock(self) -> Path:
        """Held by whoever starts or stops the engine."""
        return self.home / "transition.lock"

    def log(self, program: str) -> Path:
        """Return the log file of one of the two programs."""
        return self.home / f"{program}.log"


def dockerd_settings(files: Files, say: Say) -> dict[str, Any]:
    """Return dockerd's configuration. A file of our own keeps the system's from being read."""
    alone = not _shares_network_with_another()
    if not alone:
        say("Another dockerd runs here: Seatrial's own leaves the firewall alone, so its containers have no way out.")
    return {
        **_someone_elses_settings(),
        "hosts": [files.host],
        "containerd": str(files.containerd_socket),
        "data-root": str(files.data_root),
        "exec-root": str(files.exec_root),
        "pidfile": str(files.pid_file),
        "bridge": _make_bridge(files, say),
        # Two dockerds would flush each other's chains.
        "iptables": alone,
        "ip-forward": alone,
        "group": "root",
        # Where images are kept decides what an image's id and archive are: the same with every version of dockerd.
        "features": {"containerd-snapshotter": False},
        "log-level": "warn",
        "shutdown-timeout": SHUTDOWN_S,
    }


def _someone_elses_settings() -> dict[str, Any]:
    """Return where this machine's own configuration says that images come from; nothing else of it."""
    with suppress(OSError, ValueError):
        settings = json.loads(SYSTEM_CONFIG.read_text("utf-8"))
        return {key: settings[key] for key in KEPT_OF_SOMEONE_ELSES_CONFIG if key in settings}
    return {}


def _make_bridge(files: Files, say: Say) -> str:
    subnet = bridge.free_subnet()
    try:
        if subnet is None:
            raise OSError("no free subnet")
        bridge.create(files.bridge, subnet)
    except OSError as error:
        # A dockerd without a bridge removes docker0, which may be somebody else's.
        if bridge.exists(DOCKERS_BRIDGE):
            raise EngineMissing(
                f"Seatrial's own engine cannot have a network bridge ({error}).",
                f"Start the engine that {DOCKERS_BRIDGE} belongs to: it is used where it runs.",
            ) from error
        say(f"No bridge for containers ({error}): only those without a network will start.")
        return "none"
    return files.bridge


def _shares_network_with_another() -> bool:
    """Say whether another dockerd runs in this network namespace, so that the firewall is its."""
    here = processes.network_namespace()
    return any(processes.network_namespace(pid) in (here, None) for pid in processes.named("dockerd"))


def containerd_settings(files: Files) -> str:
    """Return containerd's configuration; nothing of it outside our folders, and no Kubernetes."""
    root = files.data_root / "containerd"
    return f"""\
version = 2
root = {json.dumps(str(root))}
state = {json.dumps(str(files.exec_root / "containerd"))}
disabled_plugins = ["io.containerd.grpc.v1.cri"]

[grpc]
  address = {json.dumps(str(files.containerd_socket))}

[plugins."io.containerd.internal.v1.opt"]
  path = {json.dumps(str(root / "opt"))}
"""


def _short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:8]
