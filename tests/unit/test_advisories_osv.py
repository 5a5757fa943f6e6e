"""Looking packages up in OSV dumps: what is found, what is doubted, and what a hostile dump can do."""

from __future__ import annotations

import json
import os
import random
import struct
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.errors import UnreadableOutput
from harness.model import Assessment, Component, Severity, Vulnerability
from security.advisories import assess, dumps
from security.advisories.index import open_index
from security.advisories.osv import OsvSource

TODAY = date(2026, 11, 24)
DAY = "2026-11-20T12:00:00Z"


def record(identifier: str, name: str = "flask", ecosystem: str = "PyPI", **changes: Any) -> dict[str, Any]:
    """An OSV record of one package, affected below 2.0."""
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges}
    return {"id": identifier, "modified": DAY, "summary": "It breaks.", "affected": [affected], **changes}


def dump(folder: Path, *records: Any, ecosystem: str = "PyPI") -> Path:
    """Write a dump; a text or bytes in place of a record goes in as it is."""
    path = folder / ecosystem / "all.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, one in enumerate(records):
            archive.writestr(f"{number}.json", one if isinstance(one, (str, bytes)) else json.dumps(one))
    return path


def component(name: str, version: str, purl: str | None = None, **changes: Any) -> Component:
    at = f"pkg:pypi/{name}@{version}" if purl is None else purl
    return Component(variant="slim-dev", name=name, version=version, purl=at, type="library", **changes)


def look_up(
    folder: Path, *components: Component, os_release: str | None = None
) -> tuple[tuple[Vulnerability, ...], tuple[Assessment, ...]]:
    return assess(components, os_release=os_release, sources=[OsvSource(folder, today=TODAY)])


def test_names_are_compared_in_their_normal_form(tmp_path: Path) -> None:
    dump(tmp_path, record("PYSEC-1", "Zope.Interface"))
    found, (said,) = look_up(tmp_path, component("zope-interface", "1.0", "pkg:pypi/zope_interface@1.0"))
    assert [one.id for one in found] == ["PYSEC-1"]
    assert (said.assessed_by, said.as_of, said.remarks) == ("osv", "2026-11-20", ())


def test_withdrawn_records_are_left_out_and_count_as_read(tmp_path: Path) -> None:
    dump(tmp_path, record("PYSEC-1", withdrawn="2026-01-01T00:00:00Z"), record("PYSEC-2"))
    found, (said,) = look_up(tmp_path, component("flask", "1.0"))
    assert [one.id for one in found] == ["PYSEC-2"]
    assert said.remarks == ()


def test_records_that_share_a_name_are_one_vulnerability_through_others_too(tmp_path: Path) -> None:
    dump(
        tmp_path,
        record("PYSEC-1", aliases=["CVE-2026-0001"]),
        record("GHSA-aaaa", aliases=["CVE-2026-0002"], database_specific={"severity": "HIGH"}),
        record("OTHER-3", aliases=["CVE-2026-0001", "CVE-2026-0002"]),
        record("PYSEC-4", aliases=["CVE-2026-9999"]),
    )
    found, _ = look_up(tmp_path, component("flask", "1.0"))
    assert [one.id for one in found] == ["CVE-2026-0001", "CVE-2026-9999"]
    assert found[0].aliases == ("CVE-2026-0002", "GHSA-aaaa", "PYSEC-1", "OTHER-3")
    assert found[0].severity is Severity.HIGH
    assert [one.id for one in found[0].advisories] == ["GHSA-aaaa", "OTHER-3", "PYSEC-1"]
    assert found[1].severity is Severity.UNKNOWN


def test_the_highest_fix_is_the_one_that_satisfies_all_records(tmp_path: Path) -> None:
    later = record("GHSA-aaaa", aliases=["CVE-2026-0001"])
    later["affected"][0]["ranges"][0]["events"][1]["fixed"] = "10.0"
    dump(tmp_path, record("PYSEC-1", aliases=["CVE-2026-0001"]), later)
    found, _ = look_up(tmp_path, component("flask", "1.0"))
    assert [one.fixed_version for one in found] == ["10.0"]
    assert found[0].fixable


def test_a_vector_is_scored_before_a_word_is_believed(tmp_path: Path) -> None:
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
    scored = [{"type": "CVSS_V3", "score": vector}]
    dump(tmp_path, record("PYSEC-1", severity=scored, database_specific={"severity": "LOW"}))
    found, _ = look_up(tmp_path, component("flask", "1.0"))
    assert (found[0].severity, found[0].cvss_score, found[0].cvss_vector) == (Severity.CRITICAL, 9.8, vector)


def test_the_first_layer_of_a_package_is_kept(tmp_path: Path) -> None:
    dump(tmp_path, record("PYSEC-1"))
    twice = [component("flask", "1.0", layer_diff_id=layer) for layer in ("sha256:low", "sha256:high")]
    found, _ = look_up(tmp_path, *twice)
    assert [one.layer_diff_id for one in found] == ["sha256:low"]


DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'


def test_distribution_packages_are_looked_up_by_source_release_and_source_version(tmp_path: Path) -> None:
    fixed_in = record("DEBIAN-CVE-2026-1", "openssl", "Debian:13", upstream=["CVE-2026-1"])
    fixed_in["affected"][0]["ranges"][0]["events"][1]["fixed"] = "3.5.1-1+deb13u1"
    other = record("DEBIAN-CVE-2026-2", "openssl", "Debian:12")
    dump(tmp_path, fixed_in, other, ecosystem="Debian")
    purl = "pkg:deb/debian/libssl3t64@3.5.1-1%2Bb1?arch=amd64&distro=debian-13&upstream=openssl%403.5.1-1"
    found, (said,) = look_up(tmp_path, component("libssl3t64", "3.5.1-1+b1", purl))
    assert [(one.id, one.aliases, one.component) for one in found] == [
        ("CVE-2026-1", ("DEBIAN-CVE-2026-1",), "libssl3t64")
    ]
    assert said.ecosystem == "Debian:13"
    patched = purl.replace("upstream=openssl%403.5.1-1", "upstream=openssl%403.5.1-1%2Bdeb13u1")
    assert look_up(tmp_path, component("libssl3t64", "3.5.1-1+b1", patched))[0] == ()


def test_an_announcement_is_about_each_of_the_vulnerabilities_it_names(tmp_path: Path) -> None:
    announcement = record("DSA-1-1", "openssl", "Debian:13", upstream=["CVE-2026-1", "CVE-2026-2"])
    dump(tmp_path, announcement, ecosystem="Debian")
    found, _ = look_up(tmp_path, component("openssl", "1", "pkg:deb/debian/openssl@1?distro=debian-13"))
    assert [one.id for one in found] == ["CVE-2026-1", "CVE-2026-2"]


def test_alpine_is_looked_up_by_its_branch(tmp_path: Path) -> None:
    dump(tmp_path, record("ALPINE-CVE-2026-1", "musl", "Alpine:v3.23"), ecosystem="Alpine")
    purl = "pkg:apk/alpine/musl-utils@1.2.5-r9?arch=x86_64&distro=alpine-3.23.6&upstream=musl"
    found, _ = look_up(tmp_path, component("musl-utils", "1.2.5-r9", purl))
    assert [one.id for one in found] == ["ALPINE-CVE-2026-1"]


def test_what_nothing_knows_is_not_assessed_and_says_why(tmp_path: Path) -> None:
    dump(tmp_path, record("PYSEC-1"))
    dump(tmp_path, record("DEBIAN-CVE-2026-2", "x", "Debian:12"), ecosystem="Debian")
    found, said = look_up(
        tmp_path,
        component("flask", "3.0"),
        component("python", "3.13.2", "pkg:generic/python@3.13.2"),
        component("musl", "1.2", "pkg:apk/alpine/musl@1.2?distro=alpine-3.23.6"),
        component("zlib1g", "1", "pkg:deb/debian/zlib1g@1?distro=debian-13"),
        component("own", "1", ""),
    )
    assert found == ()
    reasons = {one.ecosystem: one.reason for one in said if one.assessed_by is None}
    assert reasons.keys() == {"generic", "Alpine:v3.23", "Debian:13", "unknown"}
    assert "python 3.13.2" in reasons["generic"]
    assert "no OSV data for it is here" in reasons["Alpine:v3.23"]
    assert "no record for Debian:13" in reasons["Debian:13"]
    assert "own 1" in reasons["unknown"]


def test_an_empty_inventory_is_not_a_clean_one(tmp_path: Path) -> None:
    found, (said,) = look_up(tmp_path)
    assert found == ()
    assert said.assessed_by is None
    assert said.reason


def test_what_could_not_be_compared_is_named(tmp_path: Path) -> None:
    only_commits = record("PYSEC-2", "jinja2")
    only_commits["affected"][0]["ranges"][0]["type"] = "GIT"
    odd_bound = record("PYSEC-3", "click")
    odd_bound["affected"][0]["ranges"][0]["events"][1]["fixed"] = "two"
    dump(tmp_path, record("PYSEC-1"), only_commits, odd_bound)
    components = [component("flask", "1.0-custom-x"), component("jinja2", "1.0"), component("click", "1.0")]
    found, (said,) = look_up(tmp_path, *components)
    assert found == ()
    remarks = "\n".join(said.remarks)
    for part in ("flask 1.0-custom-x", "PYSEC-2", "jinja2 1.0", "PYSEC-3", "click 1.0"):
        assert part in remarks


def test_old_data_says_how_old_it_is(tmp_path: Path) -> None:
    dump(
        tmp_path, record("PYSEC-1", modified="2026-10-01T00:00:00Z"), record("PYSEC-2", modified="9999-01-01T00:00:00Z")
    )
    _, (said,) = look_up(tmp_path, component("flask", "3.0"))
    assert said.as_of == "2026-10-01"
    assert said.remarks == ("the data is 54 days old",)


def test_other_content_is_indexed_anew(tmp_path: Path) -> None:
    dump(tmp_path, record("PYSEC-1"))
    assert look_up(tmp_path, component("flask", "1.0"))[0]
    dump(tmp_path, record("PYSEC-1", "other"))
    assert not look_up(tmp_path, component("flask", "1.0"))[0]


def test_a_damaged_index_is_made_anew(tmp_path: Path) -> None:
    path = dump(tmp_path, record("PYSEC-1"))
    index = open_index(path, folder=tmp_path / "index")
    index.close()
    (made,) = (tmp_path / "index").glob("*.sqlite")
    made.write_bytes(b"not a database")
    index = open_index(path, folder=tmp_path / "index")
    assert index.records == 1
    index.close()


# --- hostile dumps -----------------------------------------------------------------------------------------------


BROKEN_RECORDS: dict[str, Any] = {
    "no JSON": "{",
    "no object": "[]",
    "no id": {"modified": DAY},
    "an id with an escape": {"id": "A\x1b[31m"},
    "a list for an id": {"id": ["A"]},
    "affected is a text": {"id": "A", "affected": "all"},
    "a version that is a number": {
        "id": "A",
        "affected": [{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": [1]}],
    },
    "half a character": '{"id": "A", "affected": [{"package": {"ecosystem": "PyPI", "name": "\\ud800"}}]}',
    "deep": "[" * 200_000,
    "a long number": '{"id": ' + "9" * 10_000 + "}",
    "invalid UTF-8": b'{"id": "\xff"}',
}


@pytest.mark.parametrize("bad", BROKEN_RECORDS.values(), ids=BROKEN_RECORDS)
def test_a_broken_record_is_named_and_the_others_count(tmp_path: Path, bad: Any) -> None:
    dump(tmp_path, bad, record("PYSEC-1"))
    found, (said,) = look_up(tmp_path, component("flask", "1.0"))
    assert [one.id for one in found] == ["PYSEC-1"]
    assert said.assessed_by == "osv"
    assert "1 of the data's 2 records are unreadable: 0.json" in "\n".join(said.remarks)


def corrupt(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "cut off":
        path.write_bytes(data[: len(data) // 2])
    elif how == "no archive":
        path.write_bytes(b"<html>502 Bad Gateway</html>")
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "lying table of contents":
        at = data.rfind(b"PK\x05\x06")
        path.write_bytes(data[: at + 12] + struct.pack("<LL", 1 << 31, 7) + data[at + 20 :])
    elif how == "scrambled":
        path.write_bytes(data[:40] + bytes(255 - byte for byte in data[40:200]) + data[200:])


@pytest.mark.parametrize("how", ["cut off", "no archive", "empty", "lying table of contents", "scrambled"])
def test_a_damaged_dump_is_not_assessed_and_never_clean(tmp_path: Path, how: str) -> None:
    corrupt(dump(tmp_path, record("PYSEC-1")), how)
    found, (said,) = look_up(tmp_path, component("flask", "1.0"))
    assert found == ()
    assert said.assessed_by is None
    assert str(tmp_path / "PyPI" / "all.zip") in said.reason


def test_a_dump_without_a_usable_record_is_not_assessed(tmp_path: Path) -> None:
    dump(tmp_path, "{}", "[]")
    _, (said,) = look_up(tmp_path, component("flask", "1.0"))
    assert said.assessed_by is None
    assert "no usable record" in said.reason


def test_a_bomb_costs_no_more_than_a_record_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumps, "MAX_RECORD_BYTES", 1 << 20)
    dump(tmp_path, b" " * (64 << 20), record("PYSEC-1"))
    found, (said,) = look_up(tmp_path, component("flask", "1.0"))
    assert [one.id for one in found] == ["PYSEC-1"]
    assert "larger than 1 MiB" in "\n".join(said.remarks)


def test_more_than_any_dump_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = dump(tmp_path, *(record(f"PYSEC-{number}") for number in range(50)))
    monkeypatch.setattr(dumps, "MAX_TOTAL_BYTES", 1000)
    with pytest.raises(UnreadableOutput, match="unpacks to more"):
        list(dumps.records(path))
    monkeypatch.setattr(dumps, "MAX_DIRECTORY_BYTES", 100)
    with pytest.raises(UnreadableOutput, match="lists more files"):
        list(dumps.records(path))
    monkeypatch.setattr(dumps, "MAX_ARCHIVE_BYTES", 100)
    with pytest.raises(UnreadableOutput, match="more than any real dump"):
        list(dumps.records(path))


def test_data_that_takes_forever_is_not_assessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("security.advisories.osv.MAX_SECONDS", -1.0)
    dump(tmp_path, record("PYSEC-1"))
    found, (said,) = look_up(tmp_path, component("flask", "1.0"))
    assert found == ()
    assert said.assessed_by is None
    assert "took longer" in said.reason


def test_names_that_lead_elsewhere_write_nothing(tmp_path: Path) -> None:
    path = dump(tmp_path, record("PYSEC-1"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil.json", json.dumps(record("PYSEC-2")))
        archive.writestr("/evil.json", json.dumps(record("PYSEC-3")))
    found, _ = look_up(tmp_path, component("flask", "1.0"))
    assert [one.id for one in found] == ["PYSEC-1", "PYSEC-2", "PYSEC-3"]
    assert not list(tmp_path.rglob("*evil*"))
    assert not (tmp_path.parent / "evil.json").exists()


# --- the real data -----------------------------------------------------------------------------------------------

REAL = Path(os.environ.get("SEATRIAL_OSV_DATA") or Path(__file__).resolve().parents[3] / "shared" / "osv")
OLD = {
    "flask": "2.2.2",
    "werkzeug": "2.2.2",
    "jinja2": "2.11.2",
    "gunicorn": "19.4.4",
    "requests": "2.19.0",
    "urllib3": "1.24.1",
    "pyyaml": "5.3",
}
needs_real_data = pytest.mark.skipif(
    not (REAL / "PyPI" / "all.zip").exists(),
    reason="no real OSV data at hand: SEATRIAL_OSV_DATA may name a folder that holds PyPI/all.zip, as OSV publishes it",
)


Raw = dict[str, list[tuple[str, dict[str, Any]]]]


@pytest.fixture(scope="module")
def raw() -> Raw:
    """The data as it is: package -> (id, what the record says of the package), withdrawn records left out."""
    found: Raw = {}
    with zipfile.ZipFile(REAL / "PyPI" / "all.zip") as archive:
        for file in archive.namelist():
            one = json.loads(archive.read(file))
            for affected in one["affected"] if not one.get("withdrawn") else ():
                found.setdefault(canonicalize_name(affected["package"]["name"]), []).append((one["id"], affected))
    return found


def independently(raw: Raw, name: str, version: str) -> set[str]:
    """Evaluate the raw data with `packaging` alone: the span of each pair of events, and the listed versions."""
    return {identifier for identifier, affected in raw[name] if listed(affected, version) or ranged(affected, version)}


def listed(affected: dict[str, Any], version: str) -> bool:
    for text in affected.get("versions", ()):
        try:
            if Version(text) == Version(version):
                return True
        except InvalidVersion:
            if text == version:
                return True
    return False


def ranged(affected: dict[str, Any], version: str) -> bool:
    pairs: list[list[str]] = []
    for one in affected.get("ranges", ()):
        if one["type"] == "ECOSYSTEM":
            turns = [(kind, text) for event in one["events"] for kind, text in event.items()]
            for kind, text in sorted(turns, key=lambda turn: Version(turn[1])):
                if kind == "introduced":
                    pairs.append([f">={text}"] if text != "0" else [])
                else:
                    pairs[-1].append(f"<{text}" if kind == "fixed" else f"<={text}")
    return any(all(compare(version, one) for one in pair) for pair in pairs)


def compare(version: str, bound: str) -> bool:
    text = bound.lstrip("<>=")
    sign = bound[: len(bound) - len(text)]
    mine, other = Version(version), Version(text)
    return {">=": mine >= other, "<": mine < other, "<=": mine <= other}[sign]


def real(components: Sequence[Component]) -> dict[str, set[str]]:
    found, _ = assess(components, sources=[OsvSource(REAL, today=TODAY)])
    said: dict[str, set[str]] = {one.name: set() for one in components}
    for one in found:
        said[one.component] |= {advisory.id for advisory in one.advisories}
    return said


@needs_real_data
def test_old_releases_have_exactly_the_advisories_that_the_data_holds(raw: Raw) -> None:
    said = real([component(name, version) for name, version in OLD.items()])
    assert said == {name: independently(raw, name, version) for name, version in OLD.items()}
    assert all(said.values())
    assert "PYSEC-2023-62" in said["flask"]
    assert sum(map(len, said.values())) == 17


@needs_real_data
def test_a_release_of_today_has_none_of_the_datas_advisories() -> None:
    said = real([component("flask", "3.1.3"), component("jinja2", "3.1.6"), component("werkzeug", "3.1.9")])
    assert said == {"flask": set(), "jinja2": set(), "werkzeug": set()}


@needs_real_data
def test_any_package_of_the_data_has_exactly_what_the_data_holds_for_it(raw: Raw) -> None:
    chooser = random.Random(20241010)
    for name in chooser.sample(sorted(raw), 150):
        texts = {text for _, affected in raw[name] for text in affected.get("versions", ())}
        texts |= {
            text
            for _, affected in raw[name]
            for one in affected.get("ranges", ())
            if one["type"] == "ECOSYSTEM"
            for event in one["events"]
            for text in event.values()
        }
        for version in chooser.sample(sorted(text for text in texts if is_version(text)), k=1):
            assert real([component(name, version)]) == {name: independently(raw, name, version)}, (name, version)


def is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
