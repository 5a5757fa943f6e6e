"""The sources that there are, as a scan uses them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.tools import find
from security.advisories.debian import DebianSource
from security.advisories.fetching import default_folder
from security.advisories.grype import GrypeSource
from security.advisories.interface import Source
from security.advisories.osv import OsvSource
from security.advisories.trivy import TrivySource


def default_sources(
    *, advisories: Path | None = None, refresh: bool = True, say: Callable[[str], None] = lambda line: None
) -> tuple[Source, ...]:
    """Return OSV's data, Debian's suites, and those of trivy and grype that are installed here.

    Args:
        advisories: a folder in the layout of OSV's dumps; the one that `seatrial advisories update` fills by default.
        refresh: let Debian's package lists and changelogs be fetched where they are missing or old.
        say: told in one line what is being fetched.

    """
    found: list[Source] = [OsvSource(advisories or default_folder()), DebianSource(refresh=refresh, say=say)]
    if find("trivy"):
        found.append(TrivySource())
    if find("grype"):
        found.append(GrypeSource())
    return tuple(found)
