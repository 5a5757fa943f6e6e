"""The packages of a container engine: installed where that is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness import debian
from harness.engine import daemon
from harness.errors import EngineMissing, ToolMissing

ENGINE = ("docker.io", "iptables", "ca-certificates")
CLIENT = ("docker-cli", "docker-buildx")
"""Since Debian 13 the client and BuildKit are packages of their own; an older Debian has none of that name."""
APPARMOR_SWITCH = Path("/sys/module/apparmor/parameters/enabled")

WAYS = """any one of these will do:
  - start Docker, and let this user reach /var/run/docker.sock
  - start Podman's service: systemctl --user start podman.socket
  - name an engine: export DOCKER_HOST=unix:///path/to/docker.sock
  - run as root on Debian or Ubuntu: Seatrial then brings an engine of its own (unless SEATRIAL_INSTALL=no)"""


def ensure_engine(*, say: Callable[[str], None]) -> None:
    """Install the programs of an engine if they are missing.

    Raises:
        EngineMissing: they are, and may not or cannot be installed; the hint lists the ways to get an engine.

    """
    if daemon.installed():
        return
    why_not = debian.installing_forbidden()
    if why_not:
        raise EngineMissing(f"No container engine was found: none is installed, and {why_not}.", WAYS)
    wanted = [*ENGINE, "apparmor"] if _apparmor_is_on() else [*ENGINE]
    try:
        debian.ensure(wanted, say=say)
        debian.ensure(debian.available(CLIENT), say=say)
    except ToolMissing as error:
        raise EngineMissing(
            f"No container engine was found, and none could be installed. {error.message}", WAYS
        ) from error


def _apparmor_is_on() -> bool:
    """Where the kernel confines by AppArmor, an engine wants its parser too."""
    try:
        return APPARMOR_SWITCH.read_text("ascii").startswith("Y")
    except OSError:
        return False
