"""Debian's releases and the end of their support, from the machine's distro-info-data; pure but for one file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FILE = Path("/usr/share/distro-info/debian.csv")
PACKAGE = "distro-info-data"


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release: its number, its codename, and when its regular and its long-term support end."""

    version: str
    codename: str
    end_of_life: date | None
    end_of_long_term_support: date | None

    def support(self, today: date) -> str | None:
        """Say in a sentence that regular or all free support has ended; None while it goes on or no end is known."""
        name = f"Debian {self.version} ({self.codename})"
        last = self.end_of_long_term_support or self.end_of_life
        if last is not None and today > last:
            return f"{name} is past its end of life: support ended on {last}, so newer vulnerabilities have no fix here"
        if self.end_of_life is not None and today > self.end_of_life:
            return f"{name} is in long-term support until {last}: regular support ended on {self.end_of_life}"
        return None


def read_releases(path: Path = FILE) -> tuple[Release, ...]:
    """Return the releases that the machine knows of; none where the data is not installed or is not readable."""
    try:
        return parse_releases(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return ()


def parse_releases(text: str) -> tuple[Release, ...]:
    """Read distro-info-data's table; rows without a number (sid, experimental) are left out."""
    found = []
    for row in csv.DictReader(text.splitlines()):
        if row.get("version") and row.get("series"):
            found.append(
                Release(
                    version=row["version"],
                    codename=row["series"],
                    end_of_life=_date(row.get("eol")),
                    end_of_long_term_support=_date(row.get("eol-lts")),
                )
            )
    return tuple(found)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
