"""Debian's mirrors are found in whatever form this machine's apt has them, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.debian_sources import Entry, Mirrors, find_mirrors, parse_sources, read_machine
from images.bases import apt_sources

# As Debian 12's container image has it, the mirror's name changed.
DEBIAN_SOURCES = """\
Types: deb
# http://snapshot.example/archive/debian/20250520T000000Z
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security/
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
# As the installer of Debian 11 writes it.
SOURCES_LIST = """\
# deb cdrom:[Debian GNU/Linux 11.0.0 _Bullseye_ - Official amd64 NETINST]/ bullseye main

deb http://mirror.example/debian/ bullseye main contrib
deb-src http://mirror.example/debian/ bullseye main
deb [arch=amd64 signed-by=/a/b.gpg] http://secure.example/debian-security bullseye-security main
deb http://mirror.example/debian/ bullseye-updates main  # wanted
"""
UBUNTU = """\
Types: deb
URIs: http://archive.example/ubuntu/
Suites: noble noble-updates noble-backports
Components: main restricted universe multiverse

Types: deb
URIs: http://security.example/ubuntu/
Suites: noble-security
Components: main restricted universe multiverse
"""
OTHERS = """\
deb https://wine.example/wine-builds/debian/ bookworm main
deb https://docker.example/linux/debian bookworm stable
deb https://node.example/node_20.x nodistro main
deb cdrom:[Debian]/ bookworm main
"""


@pytest.mark.parametrize(
    ("text", "deb822", "expected"),
    [
        (
            DEBIAN_SOURCES,
            True,
            Mirrors(main="http://mirror.example/debian", security="http://mirror.example/debian-security"),
        ),
        (
            SOURCES_LIST,
            False,
            Mirrors(main="http://mirror.example/debian", security="http://secure.example/debian-security"),
        ),
        (UBUNTU, True, None),
        (OTHERS, False, None),
        ("", False, None),
        (DEBIAN_SOURCES.replace("Types: deb\n", "Types: deb\nEnabled: no\n"), True, None),
        (DEBIAN_SOURCES.replace("Types: deb\n", "Types: deb-src\n"), True, None),
        (SOURCES_LIST.replace("bullseye-security", "bullseye-extras"), False, None),
    ],
    ids=["deb822", "one-line", "ubuntu", "others", "empty", "disabled", "sources-only", "no-security"],
)
def test_mirrors_are_found(text: str, deb822: bool, expected: Mirrors | None) -> None:
    assert find_mirrors(parse_sources(text, deb822=deb822)) == expected


def test_debian_is_told_from_other_archives_for_debian() -> None:
    entries = parse_sources(OTHERS, deb822=False) + parse_sources(DEBIAN_SOURCES, deb822=True)
    assert find_mirrors(entries) == Mirrors(
        main="http://mirror.example/debian", security="http://mirror.example/debian-security"
    )


def test_both_kinds_of_files_are_read_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://a.example/debian trixie main\n")
    (tmp_path / "sources.list.d" / "b.sources").write_text(DEBIAN_SOURCES)
    (tmp_path / "sources.list.d" / "c.list.disabled").write_text("deb http://c.example/debian trixie main\n")
    found = read_machine(tmp_path)
    assert [entry.uri for entry in found] == [
        "http://a.example/debian",
        "http://mirror.example/debian",
        "http://mirror.example/debian-security",
    ]
    assert found[0] == Entry(uri="http://a.example/debian", suites=("trixie",), components=("main",))
    assert read_machine(tmp_path / "nothing") == []


def test_lines_name_the_security_mirror_for_the_security_suite_only() -> None:
    mirrors = Mirrors(main="http://m.example/debian", security="http://s.example/sec")
    assert apt_sources.lines_for(("trixie", "trixie-updates", "trixie-security"), mirrors) == [
        "deb http://m.example/debian trixie main",
        "deb http://m.example/debian trixie-updates main",
        "deb http://s.example/sec trixie-security main",
    ]


def test_a_signed_line_names_debians_keys_once() -> None:
    line = apt_sources.signed("deb http://m.example/debian trixie main", "/keys.gpg")
    assert line == "deb [signed-by=/keys.gpg] http://m.example/debian trixie main"
    assert apt_sources.signed(line, "/keys.gpg") == line


def test_no_password_is_left_in_an_image() -> None:
    line = "deb [signed-by=/k.gpg] https://user:secret@m.example:8443/debian trixie main"
    assert apt_sources.without_password(line) == "deb [signed-by=/k.gpg] https://m.example:8443/debian trixie main"


def test_of_the_machines_settings_only_those_for_reaching_mirrors_are_taken() -> None:
    # From `apt-config dump` of apt 2.6.1.
    dump = """\
APT "";
APT::Architecture "amd64";
Acquire::http::Proxy "http://proxy.example:3142/";
Acquire::http::Proxy::local.example "DIRECT";
Acquire::https::Proxy "";
Acquire::Check-Valid-Until "false";
Acquire::AllowInsecureRepositories "1";
Acquire::Retries "3";
DPkg::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb || true";
"""
    assert apt_sources.machine_settings(dump) == [
        'Acquire::http::Proxy "http://proxy.example:3142/"',
        'Acquire::http::Proxy::local.example "DIRECT"',
        'Acquire::Check-Valid-Until "false"',
        'Acquire::Retries "3"',
    ]
