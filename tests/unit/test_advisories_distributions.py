"""Distributions in OSV's data: each release by its own fixed version. Made records in the shape that OSV publishes.

No real data of Debian and Alpine was at hand where this was written; identifiers and versions here are invented.
"""

from __future__ import annotations

import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from debian.debian_support import NativeVersion

from harness.model import Assessment, Component, Severity, Vulnerability
from security.advisories import assess
from security.advisories.osv import OsvSource

RELEASES = {"Debian:11": "1.1.1w-0+deb11u3", "Debian:12": "3.0.17-1~deb12u3", "Debian:13": "3.5.1-1+deb13u1"}
BRANCHES = {"Alpine:v3.22": "3.5.4-r0", "Alpine:v3.23": "3.5.6-r1"}


def affected(ecosystem: str, name: str, fixed: str | None, **specific: Any) -> dict[str, Any]:
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    kind, distribution = ("deb", "debian") if ecosystem.startswith("Debian") else ("apk", "alpine")
    return {
        "package": {"ecosystem": ecosystem, "name": name, "purl": f"pkg:{kind}/{distribution}/{name}?arch=source"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
        "versions": [],
        "ecosystem_specific": specific,
        "database_specific": {"source": "https://example.org/record.json"},
    }


def record(identifier: str, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "schema_version": "1.7.3",
        "id": identifier,
        "details": "Made for a test.",
        "modified": "2026-11-20T08:15:30.123456Z",
        "published": "2026-11-01T00:00:00Z",
        "affected": list(parts),
        **more,
    }


VECTOR = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}
DEBIAN = (
    record(
        "DEBIAN-CVE-2026-90001",
        *(affected(release, "openssl", fixed, urgency="not yet assigned") for release, fixed in RELEASES.items()),
        upstream=["CVE-2026-90001"],
        severity=[VECTOR],
    ),
    record(
        "DEBIAN-CVE-2026-90002",
        affected("Debian:11", "openssl", None, urgency="unimportant"),
        upstream=["CVE-2026-90002"],
    ),
    record("DLA-9000-1", affected("Debian:11", "openssl", RELEASES["Debian:11"]), upstream=["CVE-2026-90001"]),
    record(
        "DEBIAN-CVE-2026-90003",
        affected("Debian:11", "openssl", "9"),
        upstream=["CVE-2026-90003"],
        withdrawn="2026-11-10T00:00:00Z",
    ),
)
ALPINE = (
    record(
        "ALPINE-CVE-2026-90001",
        *(affected(branch, "openssl", fixed) for branch, fixed in BRANCHES.items()),
        upstream=["CVE-2026-90001"],
        severity=[VECTOR],
    ),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, records in (("Debian", DEBIAN), ("Alpine", ALPINE)):
        path = tmp_path / name / "all.zip"
        path.parent.mkdir()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in records:
                archive.writestr(f"{one['id']}.json", json.dumps(one))
    return tmp_path


def look_up(folder: Path, purl: str, version: str) -> tuple[dict[str, Vulnerability], Assessment]:
    one = Component(variant="x1", name="libssl", version=version, purl=purl, type="library")
    found, (said,) = assess([one], sources=[OsvSource(folder, today=date(2026, 11, 24))])
    return {vulnerability.id: vulnerability for vulnerability in found}, said


def debian(folder: Path, release: str, version: str) -> tuple[dict[str, Vulnerability], Assessment]:
    quoted = version.replace("+", "%2B")
    return look_up(
        folder, f"pkg:deb/debian/libssl@{quoted}?arch=amd64&distro=debian-{release}&upstream=openssl", version
    )


def alpine(folder: Path, release: str, version: str) -> tuple[dict[str, Vulnerability], Assessment]:
    return look_up(folder, f"pkg:apk/alpine/libssl3@{version}?distro=alpine-{release}&upstream=openssl", version)


@pytest.mark.parametrize("release", ["11", "12", "13"])
@pytest.mark.parametrize(
    "version",
    ["1.1.1w-0+deb11u2", "1.1.1w-0+deb11u3", "3.0.17-1~deb12u2", "3.0.17-1~deb12u3", "3.0.17-1", "3.5.1-1", "3.5.2-1"],
)
def test_debian_is_judged_by_its_own_releases_fix(folder: Path, release: str, version: str) -> None:
    found, said = debian(folder, release, version)
    assert (said.ecosystem, said.assessed_by) == (f"Debian:{release}", "osv")
    outstanding = NativeVersion(version) < NativeVersion(RELEASES[f"Debian:{release}"])
    assert ("CVE-2026-90001" in found) is outstanding
    if outstanding:
        one = found["CVE-2026-90001"]
        assert (one.fixed_version, one.severity, one.fixable) == (RELEASES[f"Debian:{release}"], Severity.HIGH, True)
        assert ("DLA-9000-1" in {advisory.id for advisory in one.advisories}) is (release == "11")


def test_what_no_release_fixes_and_what_was_withdrawn(folder: Path) -> None:
    found, _ = debian(folder, "11", "1.1.1w-0+deb11u9")
    assert {identifier: (one.fixable, one.severity) for identifier, one in found.items()} == {
        "CVE-2026-90002": (False, Severity.LOW)
    }


@pytest.mark.parametrize(
    ("release", "version", "expected"),
    [
        ("3.23.6", "3.5.6-r0", {"CVE-2026-90001"}),
        ("3.23.6", "3.5.6-r1", set()),
        ("3.23.0", "3.5.5_rc1-r0", {"CVE-2026-90001"}),
        ("3.22.1", "3.5.4-r0", set()),
        ("3.22.1", "3.5.3-r9", {"CVE-2026-90001"}),
    ],
)
def test_alpine_is_judged_by_its_own_branchs_fix(folder: Path, release: str, version: str, expected: set[str]) -> None:
    found, said = alpine(folder, release, version)
    assert found.keys() == expected
    assert (said.ecosystem, said.assessed_by) == (f"Alpine:v{'.'.join(release.split('.')[:2])}", "osv")


def test_a_release_that_the_data_does_not_hold_is_not_assessed(folder: Path) -> None:
    for found, said in (debian(folder, "14", "1"), alpine(folder, "3.99.0", "1-r0"), alpine(folder, "edge", "1-r0")):
        assert not found
        assert said.assessed_by is None
        assert said.reason
    assert "Debian:14" in debian(folder, "14", "1")[1].reason
    assert "Alpine:v3.99" in alpine(folder, "3.99.0", "1-r0")[1].reason
