"""Debian packages that a step needs: told apart from what is there, and installed where that is allowed."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence

from harness.errors import ToolFailed, ToolMissing
from harness.locks import waiting_lock
from harness.paths import state_dir
from harness.process import Completed, call

INSTALL_SWITCH = "SEATRIAL_INSTALL"
APT_TIMEOUT_S = 900.0
LOCK_TIMEOUT_S = 300
APT_OPTIONS = ("-q", "-y", "-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_S}", "-o", "Dpkg::Use-Pty=0")
QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "NEEDRESTART_SUSPEND": "1"}


def installing_forbidden() -> str | None:
    """Return why nothing may be installed on this machine, as a clause, or None where it may."""
    if os.environ.get(INSTALL_SWITCH, "").lower() in ("no", "0", "false", "never"):
        return f"{INSTALL_SWITCH}={os.environ[INSTALL_SWITCH]} forbids installing"
    if shutil.which("apt-get") is None or shutil.which("dpkg-query") is None:
        return "this is not a Debian or Ubuntu machine"
    if os.geteuid() != 0:
        return "installing needs root"
    return None


def missing(packages: Sequence[str]) -> list[str]:
    """Return those of the packages that dpkg does not have installed; all of them where there is no dpkg."""
    if shutil.which("dpkg-query") is None:
        return list(packages)
    asked = call(
        ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *packages],
        timeout_s=30,
        accept=(0, 1),
    )
    return not_installed(packages, asked.stdout)


def not_installed(packages: Sequence[str], dpkg_query: str) -> list[str]:
    """Read `dpkg-query`'s lines (package, status) and return the packages that are not among the installed."""
    there = {
        name for name, _, status in (line.partition(" ") for line in dpkg_query.splitlines()) if status == "installed"
    }
    return [name for name in packages if name not in there]


def ensure(packages: Sequence[str], *, say: Callable[[str], None]) -> None:
    """Install those of the packages that are missing.

    Args:
        packages: names of Debian packages.
        say: told in one line what is being installed.

    Raises:
        ToolMissing: something is missing and may not or cannot be installed here; the hint says what to type.

    """
    wanted = missing(packages)
    if not wanted:
        return
    names = " ".join(wanted)
    by_hand = f"Install it with: sudo apt-get install --no-install-recommends {names}"
    why_not = installing_forbidden()
    if why_not:
        raise ToolMissing(f"Missing on this machine: {names} ({why_not}).", by_hand)
    with waiting_lock(state_dir() / "apt.lock"):
        say(f"Installing {names}")
        try:
            _apt("update")
            _apt("install", "--no-install-recommends", *wanted)
        except ToolFailed as error:
            raise ToolMissing(f"{names} could not be installed: {error.message}", by_hand) from error
    still = missing(wanted)
    if still:
        raise ToolMissing(f"apt-get ended well, but {' '.join(still)} is not installed.", by_hand)


def available(packages: Sequence[str]) -> list[str]:
    """Return those of the packages that apt knows on this machine."""
    if shutil.which("apt-cache") is None:
        return []
    return [
        name
        for name in packages
        if call(["apt-cache", "show", "--no-all-versions", name], timeout_s=60, accept=(0, 100)).exit_code == 0
    ]


def _apt(*arguments: str) -> Completed:
    """Run apt-get; wait for its other users, and mend what an interrupted dpkg left behind."""
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    mended = False
    while True:
        try:
            return call(["apt-get", *APT_OPTIONS, *arguments], timeout_s=APT_TIMEOUT_S, env=QUIET)
        except ToolFailed as error:
            if "dpkg --configure -a" in error.message and not mended:
                mended = True
                call(["dpkg", "--configure", "-a"], timeout_s=APT_TIMEOUT_S, env=QUIET)
            # DPkg::Lock::Timeout does not cover the lock of the package lists.
            elif "Could not get lock" in error.message and time.monotonic() < deadline:
                time.sleep(2)
            else:
                raise
