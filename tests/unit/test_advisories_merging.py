"""Names, severities and packages: how what sources say is brought together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import Advisory, Component, Severity
from seatrial import advisories as verb
from seatrial import cli
from security.advisories.ecosystems import parse_os_release, sort_components, to_package
from security.advisories.fetching import Fetched, Missing
from security.advisories.interface import Distribution, Match
from security.advisories.merging import connect, latest, sort_key
from security.advisories.records import names_of
from security.advisories.severity import rate, word


def match(number: int, names: frozenset[str]) -> Match:
    return Match(purl="pkg:pypi/flask@1", names=names, advisory=Advisory(source="osv", id=str(number)))


def naively(names: list[frozenset[str]]) -> set[frozenset[int]]:
    """Join any two groups that share a name until none do."""
    groups = [({number}, set(some)) for number, some in enumerate(names)]
    joined = True
    while joined:
        joined = False
        for first in range(len(groups)):
            for second in range(first + 1, len(groups)):
                if groups[first][1] & groups[second][1]:
                    groups[first][0].update(groups[second][0])
                    groups[first][1].update(groups[second][1])
                    del groups[second]
                    joined = True
                    break
            if joined:
                break
    return {frozenset(members) for members, _ in groups}


@given(st.lists(st.frozensets(st.sampled_from("abcdefghijkl"), min_size=1, max_size=3), max_size=12))
def test_matches_are_joined_by_shared_names_and_only_by_those(names: list[frozenset[str]]) -> None:
    groups = connect(match(number, some) for number, some in enumerate(names))
    assert {frozenset(int(one.advisory.id) for one in group) for group in groups} == naively(names)
    assert sum(map(len, groups)) == len(names)


def test_a_cve_is_the_name_most_used() -> None:
    names = ["SNYK-1", "PYSEC-2023-62", "GHSA-m2qf", "CVE-2023-30861", "CVE-2019-1000", "CVE-2023-4000"]
    assert sorted(names, key=sort_key) == [
        "CVE-2019-1000",
        "CVE-2023-4000",
        "CVE-2023-30861",
        "GHSA-m2qf",
        "PYSEC-2023-62",
        "SNYK-1",
    ]


def test_the_latest_fix_is_by_the_ecosystems_rules() -> None:
    assert latest(["1.9", "1.10"], "PyPI") == "1.10"
    assert latest(["1.0~rc1-1", "1.0-1"], "Debian:13") == "1.0-1"
    assert latest(["1.2.5-r9", "1.2.5-r10"], "Alpine:v3.23") == "1.2.5-r10"
    assert latest([], "PyPI") is None


def test_what_a_record_is_about() -> None:
    assert names_of("PYSEC-1", ("CVE-1",), ()) == (frozenset({"PYSEC-1", "CVE-1"}),)
    assert names_of("DEBIAN-CVE-1", (), ("CVE-1",)) == (frozenset({"DEBIAN-CVE-1", "CVE-1"}),)
    assert names_of("DSA-1-1", ("CVE-1", "CVE-2"), ()) == (frozenset({"CVE-1"}), frozenset({"CVE-2"}))
    assert names_of("DSA-1-1", (), ()) == (frozenset({"DSA-1-1"}),)


# --- severity ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector", "severity", "score"),
    [
        ("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", Severity.MEDIUM, 6.3),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Severity.CRITICAL, 9.8),
        ("CVSS:3.0/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N", Severity.LOW, 2.2),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Severity.LOW, 0.0),
        ("AV:L/AC:L/Au:N/C:C/I:C/A:C", Severity.HIGH, 7.2),
        ("AV:N/AC:M/Au:N/C:N/I:P/A:N", Severity.MEDIUM, 4.3),
    ],
)
def test_a_vector_is_scored(vector: str, severity: Severity, score: float) -> None:
    rating = rate([vector])
    assert (rating.severity, rating.score, rating.vector) == (severity, score, vector)


def test_the_newest_version_of_cvss_counts() -> None:
    three, four = (
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        "CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N/E:U",
    )
    assert rate([three, four]).vector == four


@pytest.mark.parametrize("vector", ["", "CVSS:3.1/AV:N", "CVSS:9.9/AV:N", "AV:X", "CVSS:4.0/" + "A" * 5000, "7.5"])
def test_what_is_no_vector_leaves_the_word(vector: str) -> None:
    assert rate([vector], ["MODERATE"]).severity is Severity.MEDIUM
    assert rate([vector]).severity is Severity.UNKNOWN


def test_an_unknown_word_is_unknown_and_not_low() -> None:
    assert word("not yet assigned") is Severity.UNKNOWN
    assert rate([], ["not yet assigned", "High"]).severity is Severity.HIGH


# --- packages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purl", "expected"),
    [
        (
            "pkg:deb/debian/libsemanage1@3.1-1%2Bb2?arch=amd64&distro=debian-11&upstream=libsemanage%403.1-1",
            ("Debian:11", "libsemanage1", "3.1-1+b2", "libsemanage", "3.1-1", "amd64"),
        ),
        (
            "pkg:deb/debian/libattr1@1:2.4.48-6?arch=amd64&distro=debian-11&upstream=attr",
            ("Debian:11", "libattr1", "1:2.4.48-6", "attr", "1:2.4.48-6", "amd64"),
        ),
        (
            "pkg:deb/debian/libstdc%2B%2B6@10.2.1-6?arch=amd64&distro=debian-11&upstream=gcc-10",
            ("Debian:11", "libstdc++6", "10.2.1-6", "gcc-10", "10.2.1-6", "amd64"),
        ),
        (
            "pkg:apk/alpine/musl-utils@1.2.5-r21?arch=x86_64&distro=alpine-3.23.6&upstream=musl",
            ("Alpine:v3.23", "musl-utils", "1.2.5-r21", "musl", "1.2.5-r21", "x86_64"),
        ),
        ("pkg:deb/ubuntu/bash@5.2?distro=ubuntu-24.04", ("Ubuntu:24.04:LTS", "bash", "5.2", "bash", "5.2", "")),
        ("pkg:deb/ubuntu/bash@5.2?distro=ubuntu-25.04", ("Ubuntu:25.04", "bash", "5.2", "bash", "5.2", "")),
        ("pkg:deb/debian/bash@5.2", ("Debian:13", "bash", "5.2", "bash", "5.2", "")),
        ("pkg:deb/raspbian/bash@5.2?distro=raspbian-13", ("deb/raspbian", "bash", "5.2", "bash", "5.2", "")),
        ("pkg:pypi/Zope_Interface@5.0", ("PyPI", "zope-interface", "5.0", "zope-interface", "5.0", "")),
        ("pkg:generic/python@3.13.2", ("generic", "python", "3.13.2", "python", "3.13.2", "")),
    ],
)
def test_a_purl_as_syft_writes_it_is_read(purl: str, expected: tuple[str, ...]) -> None:
    one = to_package(purl, Distribution(id="debian", version="13", codename="trixie"))
    assert (one.ecosystem, one.name, one.version, one.source, one.source_version, one.architecture) == expected
    assert one.purl == purl


def test_a_distribution_that_does_not_say_its_release_gets_none() -> None:
    sid = parse_os_release('ID=debian\nPRETTY_NAME="Debian GNU/Linux forky/sid"\nVERSION_CODENAME=forky\n')
    assert to_package("pkg:deb/debian/bash@5.2", sid).ecosystem == "Debian"
    assert to_package("pkg:deb/debian/bash@5.2", None).ecosystem == "Debian"


@pytest.mark.parametrize("text", ["", "ID=", 'ID="$(reboot)"', "ID='", "\0\0", "ID=Debian GNU"])
def test_an_os_release_without_a_usable_id_names_no_distribution(text: str) -> None:
    assert parse_os_release(text) is None


def test_components_that_are_no_packages_are_told_apart() -> None:
    def component(name: str, purl: str, kind: str = "library") -> Component:
        return Component(variant="x1", name=name, version="1", purl=purl, type=kind)

    found = sort_components(
        [
            component("debian", "", "operating-system"),
            component("/etc/passwd", "", "file"),
            component("flask", "pkg:pypi/flask@1"),
            component("flask", "pkg:pypi/flask@1"),
            component("mystery", ""),
            component("broken", "pkg:"),
            component("unversioned", "pkg:pypi/x"),
        ],
        None,
    )
    assert [one.name for one in found.packages] == ["flask"]
    assert found.unknown == ("mystery 1", "broken 1", "unversioned 1")


# --- the verb ----------------------------------------------------------------------------------------------------


def test_what_could_not_be_fetched_is_said_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = (
        Fetched(ecosystem="PyPI", as_of="2026-11-24", records=20_123, changed=True),
        Missing(ecosystem="Alpine", reason="it could not be reached: no route", kept_as_of="2026-11-01"),
    )
    monkeypatch.setattr(verb, "update", lambda ecosystems, say: done)
    assert cli.main(["advisories", "update"]) == 7
    shown = capsys.readouterr()
    assert "20,123" in shown.out
    assert "it could not be reached: no route" in shown.out
    assert "2026-11-01" in shown.out
    assert "Not fetched: Alpine." in shown.err


def test_all_fetched_is_done(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[str, ...]] = []

    def update(ecosystems: tuple[str, ...], say: object) -> tuple[Fetched, ...]:
        asked.append(ecosystems)
        return (Fetched(ecosystem="PyPI", as_of="2026-11-24", records=1, changed=False),)

    monkeypatch.setattr(verb, "update", update)
    assert cli.main(["advisories", "update", "PyPI"]) == 0
    assert asked == [("PyPI",)]
    assert "unchanged" in capsys.readouterr().out


def test_an_unknown_ecosystem_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["advisories", "update", "npm"]) == 2
    assert "none of PyPI, Debian, Alpine" in capsys.readouterr().err
