"""What making a base says to apt: lines of sources.list for its suites, and the machine's own settings."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from harness.debian_sources import KEYRING, SECURITY, Mirrors
from harness.debian_sources import find_mirrors as find_mirrors
from harness.debian_sources import read_machine as read_machine
from harness.errors import BuildFailed
from harness.process import call

APT_SETTINGS = re.compile(
    r"^(Acquire::(?:Check-Valid-Until|Check-Date|Retries|https?::(?:Proxy|Proxy-Auto-Detect|Timeout)[^ ]*))"
    r' "(.*)";$'
)
"""Of the machine's own settings, those without which its mirrors may not be reached."""


def lines_for(suites: Sequence[str], mirrors: Mirrors) -> list[str]:
    """Return the lines of a sources.list for Debian suites."""
    return [f"deb {mirrors.security if SECURITY.search(suite) else mirrors.main} {suite} main" for suite in suites]


def signed(line: str, keyring: str = KEYRING) -> str:
    """Return a line with Debian's own keys named, which another distribution's apt does not trust by itself."""
    kind, _, rest = line.partition(" ")
    return f"{kind} [signed-by={keyring}] {rest.rpartition('] ')[2]}"


def default_lines(suites: Sequence[str]) -> list[str]:
    """Return the lines that mmdebstrap itself would use for a machine whose apt has no Debian mirror.

    mmdebstrap writes them before it downloads anything; a hook prints them and stops it there.

    Raises:
        BuildFailed: it would not say.

    """
    options = ["mmdebstrap", "--variant=custom", "--format=null", f"--keyring={KEYRING}"]
    asked = call(
        [*options, '--setup-hook=cat "$1/etc/apt/sources.list"; exit 1', suites[0], "/dev/null"],
        timeout_s=60,
        accept=range(256),
        env={"LC_ALL": "C.UTF-8"},
    )
    there = [line.strip() for line in (asked.stdout + asked.stderr).splitlines() if line.startswith("deb ")]
    plain = [re.sub(r"\[[^]]*\] *", "", line) for line in there]
    wanted = [line for line in plain if line.split()[2] in suites]
    if len(wanted) < len(suites):
        raise BuildFailed(
            f"No Debian mirror is known for {', '.join(suites)}.",
            "Add a Debian mirror to this machine's apt sources, or use `--bases registry`.",
        )
    return wanted


def without_password(line: str) -> str:
    """Return a line of sources.list without user name and password in its address: for what is kept in an image."""
    words = line.split(" ")
    shown = []
    for word in words:
        parts = urlsplit(word) if "://" in word else None
        if parts is not None and "@" in parts.netloc:
            word = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        shown.append(word)
    return " ".join(shown)


def machine_settings(apt_config_dump: str) -> list[str]:
    """Read `apt-config dump` and return the settings that reaching this machine's mirrors may need, as apt options."""
    found = []
    for line in apt_config_dump.splitlines():
        if (match := APT_SETTINGS.match(line)) and match[2]:
            found.append(f'{match[1]} "{match[2]}"')
    return found


def temporary_folder(prefix: str) -> tempfile.TemporaryDirectory[str]:
    """Return a folder that apt's own download user may enter; gone at the end of the `with` block."""
    folder = tempfile.TemporaryDirectory(prefix=f"seatrial-{prefix}-", ignore_cleanup_errors=True)
    Path(folder.name).chmod(0o755)
    return folder
