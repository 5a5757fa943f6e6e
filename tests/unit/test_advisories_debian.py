"""Debian's suites as a source, on indexes and changelogs that are here already."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from harness.debian_sources import Mirrors
from harness.model import Assessment, Component, Vulnerability
from security.advisories import assess
from security.advisories.apt_root import IndexFile, without_secrets
from security.advisories.debian import DebianSource
from security.advisories.releases import parse_releases
from security.advisories.suites import open_suites, parse_packages

OS_RELEASE = 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'
MIRRORS = Mirrors(main="http://mirror.invalid/debian", security="http://mirror.invalid/debian-security")
RELEASE = "Origin: Debian\nSuite: stable\nDate: Mon, 23 Nov 2026 12:00:00 UTC\n"
STANZA = """\
Package: {name}
Source: {source}
Version: {version}
Filename: pool/updates/{name}.deb
Size: 1000
SHA256: {zeros}
"""
CHANGELOG = """\
openssl (3.5.1-1+deb13u2) trixie-security; urgency=medium

  * CVE-2026-0002 (Timing side channel)

 -- A <a@example.org>  Mon, 23 Nov 2026 12:00:00 +0000

openssl (3.5.1-1+deb13u1) trixie-security; urgency=medium

  * CVE-2026-0001 (Out of bounds write)

 -- A <a@example.org>  Mon, 16 Nov 2026 12:00:00 +0000

openssl (3.5.1-1) unstable; urgency=medium

  * CVE-2025-0001 was before.

 -- A <a@example.org>  Mon, 16 Nov 2025 12:00:00 +0000
"""


def stanza(name: str, version: str, source: str) -> str:
    return STANZA.format(name=name, version=version, source=source, zeros="0" * 64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a fetched root of trixie looks like: indexes of three suites, and one changelog."""
    root = tmp_path / "debian" / "trixie-amd64"
    (root / "lists").mkdir(parents=True)
    contents = {
        "trixie": stanza("libssl3t64", "3.5.1-1", "openssl") + "\n" + stanza("zlib1g", "1:1.3-1", "zlib"),
        "trixie-updates": "",
        "trixie-security": stanza("libssl3t64", "3.5.1-1+deb13u2", "openssl")
        + "\n"
        + stanza("openssl-provider", "3.5.1-1+deb13u2+b1", "openssl (3.5.1-1+deb13u2)"),
    }
    rows = []
    for suite, text in contents.items():
        index = root / "lists" / f"m_dists_{suite}_main_binary-amd64_Packages"
        index.write_text(text, "utf-8")
        (root / "lists" / f"m_dists_{suite}_InRelease").write_text(RELEASE, "utf-8")
        rows.append(f"{index}\t{suite}\thttp://mirror.invalid/debian/\tPackages\n")
    (root / "indexes").write_text("".join(rows), "utf-8")
    changelogs = tmp_path / "debian" / "changelogs"
    changelogs.mkdir()
    (changelogs / "openssl_3.5.1-1+deb13u2.changelog.gz").write_bytes(gzip.compress(CHANGELOG.encode()))
    return tmp_path / "debian"


@pytest.fixture(autouse=True)
def known_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    known = parse_releases(RELEASES)
    monkeypatch.setattr("security.advisories.releases.read_releases", lambda: known)


RELEASES = """\
version,codename,series,created,release,eol,eol-lts,eol-elts
11,Bullseye,bullseye,2019-07-06,2021-08-14,2024-08-14,2026-08-31,2031-06-30
12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-07-11,2028-06-30,2033-06-30
13,Trixie,trixie,2023-06-10,2025-08-09,2028-08-09,2030-06-30,2035-06-30
14,Forky,forky,2025-08-09
,Sid,sid,1993-08-16
"""


def component(name: str, version: str, source: str = "", release: str = "13") -> Component:
    upstream = f"&upstream={source}" if source else ""
    purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch=amd64&distro=debian-{release}{upstream}"
    return Component(variant="slim-dev", name=name, version=version, purl=purl, type="library")


def look_up(
    folder: Path, *components: Component, today: date = date(2026, 11, 24)
) -> tuple[tuple[Vulnerability, ...], Assessment]:
    source = DebianSource(folder=folder, refresh=False, mirrors=MIRRORS, today=today)
    found, (said,) = assess(components, os_release=OS_RELEASE, sources=[source])
    return found, said


def test_each_vulnerability_since_the_installed_version_is_traced_to_a_line(folder: Path) -> None:
    found, said = look_up(folder, component("libssl3t64", "3.5.1-1", "openssl"), component("zlib1g", "1:1.3-1", "zlib"))
    assert [(one.id, one.component, one.fixed_version) for one in found] == [
        ("CVE-2026-0001", "libssl3t64", "3.5.1-1+deb13u1"),
        ("CVE-2026-0002", "libssl3t64", "3.5.1-1+deb13u2"),
    ]
    assert found[0].advisories[0].evidence == (
        "openssl (3.5.1-1+deb13u1), changelog: * CVE-2026-0001 (Out of bounds write)"
        " [trixie-security has 3.5.1-1+deb13u2]"
    )
    assert (said.assessed_by, said.as_of) == ("debian", "2026-11-23")
    assert said.remarks == ("1 of 2 packages have a newer version in Debian",)


def test_a_half_updated_package_lacks_only_the_rest(folder: Path) -> None:
    found, _ = look_up(folder, component("libssl3t64", "3.5.1-1+deb13u1", "openssl"))
    assert [one.id for one in found] == ["CVE-2026-0002"]


def test_an_up_to_date_package_has_nothing(folder: Path) -> None:
    found, said = look_up(folder, component("libssl3t64", "3.5.1-1+deb13u2", "openssl"))
    assert found == ()
    assert said.assessed_by == "debian"


def test_a_binary_numbered_otherwise_than_its_source_is_fixed_by_the_newest(folder: Path) -> None:
    found, _ = look_up(folder, component("openssl-provider", "3.5.1-1", "openssl"))
    assert {one.fixed_version for one in found} == {"3.5.1-1+deb13u2+b1"}


def test_packages_of_other_archives_are_named(folder: Path) -> None:
    _, said = look_up(folder, component("nodejs", "20.1-1nodesource1"), component("zlib1g", "not/a/version"))
    remarks = "\n".join(said.remarks)
    assert "not in this release of Debian, so not assessed: nodejs 20.1-1nodesource1" in remarks
    assert "zlib1g not/a/version" in remarks


def test_a_changelog_that_is_not_here_is_named_and_never_none(folder: Path) -> None:
    for path in (folder / "changelogs").iterdir():
        path.unlink()
    found, said = look_up(folder, component("libssl3t64", "3.5.1-1", "openssl"))
    assert found == ()
    assert any("not assessed" in remark and "openssl 3.5.1-1+deb13u2" in remark for remark in said.remarks)


def test_a_changelog_that_is_cut_short_says_so(folder: Path) -> None:
    path = folder / "changelogs" / "openssl_3.5.1-1+deb13u2.changelog.gz"
    path.write_bytes(gzip.compress(CHANGELOG.encode()[:120]))
    _, said = look_up(folder, component("libssl3t64", "3.5.1-1", "openssl"))
    assert any("does not reach back" in remark for remark in said.remarks)


@pytest.mark.parametrize("file", ["InRelease", "main_binary-amd64_Packages"])
def test_without_the_security_suite_nothing_is_assessed(folder: Path, file: str) -> None:
    (folder / "trixie-amd64" / "lists" / f"m_dists_trixie-security_{file}").unlink()
    found, said = look_up(folder, component("libssl3t64", "3.5.1-1", "openssl"))
    assert found == ()
    assert said.assessed_by is None
    assert "trixie-security" in said.reason


def test_an_unknown_release_is_not_assessed(folder: Path) -> None:
    _, said = look_up(folder, component("libssl3t64", "3.5.1-1", "openssl", release="99"))
    assert said.assessed_by is None
    assert "Debian 99" in said.reason


@pytest.mark.parametrize(
    ("today", "part"),
    [(date(2029, 1, 1), "long-term support until 2030-06-30"), (date(2031, 1, 1), "past its end of life")],
)
def test_a_release_whose_support_has_ended_says_so(folder: Path, today: date, part: str) -> None:
    _, said = look_up(folder, component("zlib1g", "1:1.3-1", "zlib"), today=today)
    assert any(part in remark for remark in said.remarks)


def test_releases_are_read_from_distro_info() -> None:
    known = {one.codename: one for one in parse_releases(RELEASES)}
    assert known.keys() == {"bullseye", "bookworm", "trixie", "forky"}
    today = date(2026, 11, 24)
    assert "past its end of life: support ended on 2026-08-31" in (known["bullseye"].support(today) or "")
    assert "long-term support until 2028-06-30" in (known["bookworm"].support(today) or "")
    assert known["trixie"].support(today) is None
    assert known["forky"].support(today) is None


def test_an_index_is_read_with_sources_and_files() -> None:
    text = stanza("a", "2+b1", "src (2)") + "\n" + stanza("b", "1", "b") + "\nPackage: broken\n\nVersion: 1\n"
    found = list(parse_packages(text.encode(), "trixie", "http://m/debian/"))
    assert [(one.name, one.version, one.source, one.source_version) for one in found] == [
        ("a", "2+b1", "src", "2"),
        ("b", "1", "b", "1"),
    ]
    assert found[0].address == "http://m/debian/pool/updates/a.deb"


def test_changed_indexes_are_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "Packages"
    index = IndexFile(path=path, suite="trixie", address="http://m/debian")
    for version in ("1", "22"):
        path.write_text(stanza("a", version, "a"), "utf-8")
        suites = open_suites([index], tmp_path)
        assert [one.version for one in suites.binaries("a")] == [version]
        suites.close()


def test_passwords_in_addresses_are_not_told() -> None:
    said = without_secrets("E: Failed to fetch https://me:secret@mirror.example/debian\n  403  Forbidden")
    assert said == "E: Failed to fetch https://mirror.example/debian 403 Forbidden"
