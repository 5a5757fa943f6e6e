"""What a Debian changelog says between two versions."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable

import pytest
import zstandard

from security.advisories.changelogs import between, mentions
from security.advisories.deb_files import NoChangelog, read_changelog

CHANGELOG = """\
zlib (1:1.2-3+deb11u3) bullseye-security; urgency=high

  * Regression update for CVE-2022-37434.
  * Fix CVE-2023-45853 and cve-2023-6992.

 -- A Person <a@example.org>  Mon, 27 Nov 2023 10:00:00 +0000

zlib (1:1.2-3+deb11u2) bullseye-security; urgency=high

  * Fix a heap overflow in inflate
    (CVE-2022-37434)

 -- A Person <a@example.org>  Mon, 29 Aug 2022 10:00:00 +0000

zlib (1:1.2-3+deb11u1) bullseye; urgency=medium

  * Fix CVE-2018-25032.

 -- A Person <a@example.org>  Mon, 28 Mar 2022 10:00:00 +0000

zlib (1:1.2-3) unstable; urgency=medium

  * CVE-2005-2096 was long ago.

 -- A Person <a@example.org>  Mon, 28 Mar 2021 10:00:00 +0000
"""
LINES = CHANGELOG.splitlines()


def named(installed: str, available: str = "1:1.2-3+deb11u3") -> dict[str, str]:
    return {one.cve: one.version for one in mentions(between(LINES, installed=installed, available=available).entries)}


def test_only_what_came_after_the_installed_version_counts() -> None:
    assert named("1:1.2-3+deb11u2") == {
        "CVE-2022-37434": "1:1.2-3+deb11u3",
        "CVE-2023-45853": "1:1.2-3+deb11u3",
        "CVE-2023-6992": "1:1.2-3+deb11u3",
    }
    assert named("1:1.2-3+deb11u3") == {}


def test_the_oldest_entry_that_names_it_is_the_fix() -> None:
    found = named("1:1.2-3")
    assert found["CVE-2022-37434"] == "1:1.2-3+deb11u2"
    assert found.keys() == {"CVE-2018-25032", "CVE-2022-37434", "CVE-2023-45853", "CVE-2023-6992"}


def test_what_is_newer_than_the_available_version_is_not_in_it() -> None:
    assert named("1:1.2-3", "1:1.2-3+deb11u1") == {"CVE-2018-25032": "1:1.2-3+deb11u1"}


def test_the_line_that_names_it_is_kept() -> None:
    found = mentions(between(LINES, installed="1:1.2-3+deb11u1", available="1:1.2-3+deb11u2").entries)
    assert [one.line for one in found] == ["(CVE-2022-37434)"]


def test_an_installed_version_without_an_entry_is_placed_by_its_number() -> None:
    found = between(LINES, installed="1:1.2-3+b1", available="1:1.2-3+deb11u3")
    assert [entry.version for entry in found.entries] == ["1:1.2-3+deb11u3", "1:1.2-3+deb11u2", "1:1.2-3+deb11u1"]
    assert found.complete


def test_history_counts_before_numbers() -> None:
    reverted = ["x (3.0+really1.5-1) sid; urgency=low", " * CVE-2024-0001", "x (2.0-1) sid; urgency=low", " * old"]
    found = between(reverted, installed="2.0-1", available="3.0+really1.5-1")
    assert [one.cve for one in mentions(found.entries)] == ["CVE-2024-0001"]


def test_a_history_that_is_cut_short_says_so() -> None:
    found = between(LINES[:6], installed="1:1.2-3", available="1:1.2-3+deb11u3")
    assert not found.complete
    assert len(found.entries) == 1


def test_control_characters_do_not_reach_a_terminal() -> None:
    lines = ["x (2) sid; urgency=low", "  * CVE-2024-0001 \x1b[31mred"]
    assert "\x1b" not in mentions(between(lines, installed="1", available="2").entries)[0].line


def deb(files: dict[str, bytes], *, compression: str = "xz", links: dict[str, str] | None = None) -> bytes:
    """Write a Debian package's file by hand, as its manual page describes it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(f"./{name}")
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
        for name, data in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    compress: dict[str, Callable[[bytes], bytes]] = {
        "xz": lzma.compress,
        "gz": gzip.compress,
        "zst": zstandard.ZstdCompressor().compress,
    }
    members = {
        "debian-binary": b"2.0\n",
        "control.tar.xz": b"abc",
        f"data.tar.{compression}": compress[compression](raw.getvalue()),
    }
    out = b"!<arch>\n"
    for name, data in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)
    return out


DOC = "usr/share/doc/zlib1g"


def read(data: bytes, *, source: str = "zlib", version: str = "1:1.2-3+deb11u3") -> bytes:
    return read_changelog(data, package="zlib1g", source=source, source_version=version)


@pytest.mark.parametrize("compression", ["xz", "gz", "zst"])
def test_a_packages_changelog_is_read_out_of_its_file(compression: str) -> None:
    files = {f"{DOC}/changelog.gz": gzip.compress(b"upstream's"), f"{DOC}/copyright": b"c"}
    files[f"{DOC}/changelog.Debian.gz"] = gzip.compress(CHANGELOG.encode())
    assert read(deb(files, compression=compression)) == CHANGELOG.encode()


def test_a_native_packages_changelog_has_no_debian_in_its_name() -> None:
    assert read(deb({f"{DOC}/changelog.gz": gzip.compress(CHANGELOG.encode())})) == CHANGELOG.encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"!<arch>\n",
        b"!<arch>\ngarbage",
        deb({}),
        deb({}, links={DOC: "zlib1g-base"}),
        deb({f"{DOC}/changelog.Debian.gz": b"not gzip"}),
        deb({f"{DOC}/changelog.Debian.gz": gzip.compress(b"zlib (9) sid; urgency=low\n")}),
        deb({f"{DOC}/changelog.Debian.gz": gzip.compress(CHANGELOG.encode())})[:-150],
    ],
    ids=["empty", "no members", "garbage", "no files", "a link", "no gzip", "another version's", "cut off"],
)
def test_a_file_without_its_sources_changelog_is_refused(data: bytes) -> None:
    with pytest.raises(NoChangelog):
        read(data)


def test_a_bomb_is_refused() -> None:
    bomb = gzip.compress(b"\0" * (65 << 20))
    with pytest.raises(NoChangelog, match="larger"):
        read(deb({f"{DOC}/changelog.Debian.gz": bomb}))
