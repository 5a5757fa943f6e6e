"""Where this machine's apt gets Debian's packages from: its sources files, read, and the mirrors among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from debian.deb822 import Deb822

ETC_APT = Path("/etc/apt")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
"""Debian's keys, for machines whose apt knows other keys (Ubuntu): package debian-archive-keyring."""
RELEASES = frozenset(
    {"buster", "bullseye", "bookworm", "trixie", "forky", "duke", "sid"}
    | {"unstable", "testing", "stable", "oldstable", "oldoldstable"}
)
SECURITY = re.compile(r"(-security|/updates)$")
SCHEMES = ("http", "https", "file", "mirror+http", "mirror+https", "mirror+file")


@dataclass(frozen=True, kw_only=True)
class Mirrors:
    """Base addresses of a Debian archive and of its security archive."""

    main: str
    security: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One binary source of apt: an address, its suites and components."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


def parse_sources(text: str, *, deb822: bool) -> list[Entry]:
    """Read a file of apt sources: `*.sources` (deb822) or `*.list` (a line each); what is disabled is left out."""
    return _parse_deb822(text) if deb822 else _parse_lines(text)


def find_mirrors(entries: Sequence[Entry]) -> Mirrors | None:
    """Return the mirrors that hold Debian itself and its security suite, or None where either is not configured.

    Debian's own archive is told from other archives for Debian by the `-updates` suite, which only Debian has, where
    any entry names one.
    """
    usable = [e for e in entries if urlsplit(e.uri).scheme in SCHEMES and "main" in e.components]
    security = [e.uri for e in usable if any(SECURITY.search(suite) for suite in e.suites)]
    main = [e for e in usable if any(suite.removesuffix("-updates") in RELEASES for suite in e.suites)]
    with_updates = {e.uri for e in main if any(suite.endswith("-updates") for suite in e.suites)}
    addresses = [e.uri for e in main if e.uri in with_updates or not with_updates]
    return Mirrors(main=addresses[0], security=security[0]) if addresses and security else None


def read_machine(etc_apt: Path = ETC_APT) -> list[Entry]:
    """Return the sources that this machine's apt has; none where there is no apt."""
    files = [etc_apt / "sources.list", *sorted((etc_apt / "sources.list.d").glob("*"))]
    found: list[Entry] = []
    for path in files:
        if path.suffix in (".list", ".sources") and path.is_file():
            text = path.read_text("utf-8", errors="replace")
            found += parse_sources(text, deb822=path.suffix == ".sources")
    return found


def _parse_lines(text: str) -> list[Entry]:
    found = []
    for line in text.splitlines():
        # [arch=amd64 signed-by=...] may hold spaces; nothing in it matters here.
        words = re.sub(r"\[[^]]*\]", " ", line.split("#")[0]).split()
        if len(words) >= 4 and words[0] == "deb":
            found.append(Entry(uri=words[1].rstrip("/"), suites=(words[2].rstrip("/"),), components=tuple(words[3:])))
    return found


def _parse_deb822(text: str) -> list[Entry]:
    found = []
    for stanza in Deb822.iter_paragraphs(text.splitlines(), use_apt_pkg=False):
        if "deb" not in stanza.get("Types", "").split() or stanza.get("Enabled", "yes").lower() in ("no", "false", "0"):
            continue
        for uri in stanza.get("URIs", "").split():
            found.append(
                Entry(
                    uri=uri.rstrip("/"),
                    suites=tuple(suite.rstrip("/") for suite in stanza.get("Suites", "").split()),
                    components=tuple(stanza.get("Components", "").split()),
                )
            )
    return found
