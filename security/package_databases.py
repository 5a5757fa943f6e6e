"""What an image's own package databases say is installed: dpkg, apk, and the metadata of Python distributions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Literal

from security.subjects import FileSystem

Kind = Literal["deb", "apk", "pypi"]
DPKG = "var/lib/dpkg/status"
DPKG_FOLDER = "var/lib/dpkg/status.d/"
APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_PYTHON = re.compile(r"(?:\.dist-info/METADATA|\.egg-info/PKG-INFO)$")
_CLASSIFIER = re.compile(r"^License :: (?:OSI Approved :: )?(.+)$")
_SPDX = {
    "MIT License": "MIT",
    "ISC License (ISCL)": "ISC",
    "The Unlicense (Unlicense)": "Unlicense",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
}
"""Classifiers that name one licence of SPDX's; others, such as `BSD License`, name several, and stay as they are."""
LONGEST_LICENCE = 80
"""A longer `License` field is the licence's text, not its name."""


@dataclass(frozen=True, kw_only=True)
class Installed:
    """One package as its database names it."""

    kind: Kind
    name: str
    """Python's names are normalised (PEP 503)."""
    source: str
    """The file that says so."""
    licence: str = ""
    """As the database words it; empty where it does not say."""


def installed(files: FileSystem) -> Iterator[Installed]:
    """Yield what every database of the image says is installed."""
    for path in sorted(files.contents):
        text = files.text(path)
        if text is None:
            continue
        if path == DPKG or path.startswith(DPKG_FOLDER):
            if not path.endswith(".md5sums"):
                yield from _dpkg(path, text)
        elif path in APK:
            yield from _apk(path, text)
        elif _PYTHON.search(path):
            yield from _python(path, text)


def unreadable(files: FileSystem) -> Iterator[str]:
    """Yield the databases that have content, and in which nothing is installed: damaged, or of another form."""
    named = {one.source for one in installed(files)}
    for path in sorted(files.contents):
        is_database = path == DPKG or path in APK or _PYTHON.search(path)
        if is_database and path not in named and files.contents[path].strip():
            yield path


def normalised(name: str) -> str:
    """Return a Python distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _dpkg(path: str, text: str) -> Iterator[Installed]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(.*)$", stanza))
        status = fields.get("Status")
        # In status.d, as distroless images keep it, every package is installed and none says so.
        if fields.get("Package") and (status is None or status.endswith(" installed")):
            yield Installed(kind="deb", name=fields["Package"].strip(), source=path)


def _apk(path: str, text: str) -> Iterator[Installed]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"(?m)^([A-Za-z]):(.*)$", stanza))
        if fields.get("P"):
            yield Installed(kind="apk", name=fields["P"].strip(), source=path, licence=fields.get("L", "").strip())


def _python(path: str, text: str) -> Iterator[Installed]:
    headers = HeaderParser().parsestr(text)
    name = headers.get("Name")
    if not name:
        return
    licence = str(headers.get("License-Expression") or headers.get("License") or "").strip()
    if not licence or licence.upper() == "UNKNOWN" or len(licence) > LONGEST_LICENCE or "\n" in licence:
        classifiers = [str(one).strip() for one in headers.get_all("Classifier") or []]
        found = [_SPDX.get(match[1], match[1]) for one in classifiers if (match := _CLASSIFIER.match(one))]
        licence = " AND ".join(sorted(set(found)))
    yield Installed(kind="pypi", name=normalised(str(name).strip()), source=path, licence=licence)
