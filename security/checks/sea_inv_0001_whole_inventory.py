"""The bill of materials must name every package that the image's own databases name."""

from __future__ import annotations

from collections import defaultdict

from packageurl import PackageURL

from harness.model import Component, Outcome, Severity, Skipped
from security.check import Check, failed_or_passed
from security.package_databases import installed, normalised, unreadable
from security.subjects import BuiltImage, FileSystem

NAMED = 5
_DPKG = "Package: libc6\nStatus: install ok installed\nVersion: 1\n\nPackage: gone\nStatus: deinstall ok config-files\n"


def _component(purl: str) -> Component:
    return Component(variant="x", name="x", version="1", purl=purl, type="library")


def _image(path: str, text: str, *purls: str) -> BuiltImage:
    return BuiltImage(files=FileSystem.of(contents={path: text}), components=tuple(_component(purl) for purl in purls))


CHECK = Check(
    id="SEA-INV-0001",
    title="Packages that the inventory misses",
    severity=Severity.MEDIUM,
    rationale="What is not in the inventory is looked up nowhere: a damaged package database looks like a clean image.",
    remediation="Find out why the scanner cannot read the database; do not remove or edit it to make an image smaller.",
    good=[
        _image("var/lib/dpkg/status", _DPKG, "pkg:deb/debian/libc6@1"),
        _image("lib/apk/db/installed", "P:musl\nV:1\n\n", "pkg:apk/alpine/musl@1"),
        _image("app/Flask_X-1.dist-info/METADATA", "Name: Flask_X\n", "pkg:pypi/flask-x@1"),
        _image("var/lib/dpkg/status", ""),
    ],
    bad=[
        _image("var/lib/dpkg/status", _DPKG),
        _image("var/lib/dpkg/status.d/libc6", "Package: libc6\nVersion: 1\n", "pkg:deb/debian/other@1"),
        _image("lib/apk/db/installed", "P:musl\nV:1\n\nP:zlib\nV:1\n\n", "pkg:apk/alpine/musl@1"),
        _image("app/flask-1.dist-info/METADATA", "Name: flask\n"),
        _image("var/lib/dpkg/status", "\x00\x01 garbage"),
        _image("lib/apk/db/installed", "garbage"),
        _image("app/flask-1.dist-info/METADATA", "no headers at all"),
    ],
    unclear=[BuiltImage()],
)


def test(image: BuiltImage) -> Outcome:
    """Fail for databases whose packages are not all components, and for those in which nothing can be read."""
    if image.components is None:
        return Skipped(reason="there is no inventory to compare with")
    known = {
        (purl.type, normalised(purl.name) if purl.type == "pypi" else purl.name) for purl in _purls(image.components)
    }
    missing: dict[str, set[str]] = defaultdict(set)
    for one in installed(image.files):
        if (one.kind, one.name) not in known:
            missing[one.source].add(one.name)
    found = [
        f"/{path}: {len(names)} packages are not in the inventory: {_listed(names)}" for path, names in missing.items()
    ]
    found += [f"/{path}: it has content, but no package can be read in it" for path in unreadable(image.files)]
    return failed_or_passed(found)


def _purls(components: tuple[Component, ...]) -> list[PackageURL]:
    return [PackageURL.from_string(one.purl) for one in components if one.purl]


def _listed(names: set[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:NAMED]) + (f" and {len(listed) - NAMED} more" if len(listed) > NAMED else "")
