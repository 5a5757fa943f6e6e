"""Advisories as they are really had: from Debian's mirror through apt, by HTTP, and for what syft finds in images."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest
from debian.changelog import Changelog
from debian.debian_support import NativeVersion

from harness.debian_sources import Mirrors, find_mirrors, read_machine
from harness.model import Assessment, Component, Vulnerability
from harness.process import call
from harness.tools import require
from security.advisories import assess, fetching
from security.advisories.apt_root import AptRoot
from security.advisories.debian import DebianSource
from security.advisories.ecosystems import to_package
from security.advisories.osv import OsvSource
from security.advisories.suites import open_suites
from security.advisories.trivy import TrivySource
from security.advisories.versions import dpkg

ASSETS = Path(__file__).parents[1] / "assets" / "advisories"
OSV = Path(os.environ.get("SEATRIAL_OSV_DATA") or Path(__file__).resolve().parents[3] / "shared" / "osv")
STATUS = "Status: install ok installed\n"


def found_by_syft(root: Path) -> tuple[Component, ...]:
    """Run the real syft on a folder, as a scan does on an image, and return its components."""
    syft = require("syft", hint="It comes with the locked wheels.")
    argv: list[str | Path] = [syft, f"dir:{root}", "-q", "-o", "cyclonedx-json"]
    said = call(argv, timeout_s=120, env={"SYFT_CHECK_FOR_APP_UPDATE": "false"}).stdout
    return tuple(
        Component(
            variant="article",
            name=one["name"],
            version=one.get("version", ""),
            purl=one.get("purl", ""),
            type=one["type"],
        )
        for one in json.loads(said).get("components", ())
    )


def debian_root(folder: Path, status: str, os_release: str) -> Path:
    """Make a file system that holds only what names its packages and its release."""
    for name, text in (("var/lib/dpkg/status", status), ("etc/os-release", os_release)):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of Debian's lists and changelogs that starts empty; skips where this machine has no Debian mirror."""
    folder = tmp_path_factory.mktemp("debian")
    mirrors = find_mirrors(read_machine())
    if mirrors is None:
        pytest.skip("this machine's apt has no Debian mirror with a security suite")
    root = AptRoot(folder / "trixie-amd64", codename="trixie", architecture="amd64", mirrors=mirrors)
    problem = root.update(older_than_s=3600, say=print)
    if problem or "trixie-security" not in root.dates():
        pytest.skip(f"this machine's Debian mirror could not be reached: {problem}")
    return folder


class Lookup(NamedTuple):
    """What was looked up, what was found, and what it took with nothing fetched."""

    components: tuple[Component, ...]
    found: tuple[Vulnerability, ...]
    said: Assessment
    seconds: float


# --- Debian ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bullseye(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Lookup:
    """Debian 11 with Python as its last point release left it, and what is known of it."""
    os_release = (ASSETS / "debian-11-os-release").read_text("utf-8")
    status = (ASSETS / "debian-11-status").read_text("utf-8")
    components = found_by_syft(debian_root(tmp_path_factory.mktemp("bullseye"), status, os_release))
    start = time.perf_counter()
    found, (said,) = assess(components, os_release=os_release, sources=[DebianSource(folder=store)])
    seconds = time.perf_counter() - start
    if said.assessed_by is None:
        pytest.skip(f"this machine's mirror has no Debian 11 any more: {said.reason}")
    return Lookup(components, found, said, seconds)


def test_debian_11_shows_what_its_suites_would_fix(bullseye: Lookup) -> None:
    components, found, said, _ = bullseye
    assert len([one for one in components if one.purl.startswith("pkg:deb/")]) == 110
    assert 120 <= len({one.id for one in found}) <= 250
    assert all(one.fixable and one.sources == ("debian",) for one in found)
    assert any("past its end of life" in remark for remark in said.remarks)
    assert not [remark for remark in said.remarks if "not assessed" in remark]
    for one in found:
        assert one.id in one.advisories[0].evidence.upper()
        assert dpkg(one.fixed_version or "") > dpkg(one.installed_version)


def test_each_of_them_stands_in_a_changelog_that_another_reader_reads_alike(store: Path, bullseye: Lookup) -> None:
    _, found, _, _ = bullseye
    said: dict[tuple[str, str], set[str]] = {}
    for one in found:
        package = to_package(one.purl, None)
        said.setdefault((package.source, package.source_version), set()).add(one.id)
    for (source, installed), identifiers in said.items():
        (path,) = (store / "changelogs").glob(f"{source}_*.changelog.gz")
        expected: set[str] = set()
        for block in Changelog(gzip.decompress(path.read_bytes()).decode("utf-8", "replace"), strict=False):
            if NativeVersion(str(block.version)) <= NativeVersion(installed):
                break
            expected |= set(re.findall(r"CVE-[0-9]+-[0-9]+", "\n".join(block.changes()).upper()))
        assert identifiers == expected, source


def test_a_warm_lookup_is_quicker(store: Path, bullseye: Lookup) -> None:
    components, found, _, cold_s = bullseye
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        again, _ = assess(components, sources=[DebianSource(folder=store)])
        seconds.append(time.perf_counter() - start)
        assert again == found
    assert min(seconds) < cold_s / 2


def test_what_was_fetched_serves_without_a_network(store: Path, bullseye: Lookup) -> None:
    components, found, _, _ = bullseye
    assert assess(components, sources=[DebianSource(folder=store, refresh=False)])[0] == found


def test_a_fresh_debian_13_shows_only_what_is_outstanding(store: Path, tmp_path: Path) -> None:
    os_release = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\n'
    mirrors = find_mirrors(read_machine())
    assert mirrors is not None
    root = AptRoot(store / "trixie-amd64", codename="trixie", architecture="amd64", mirrors=mirrors)
    status = []
    with closing(open_suites(root.indexes(), root.folder)) as suites:
        for name in ("libc6", "libssl3t64", "zlib1g", "python3.13-minimal", "perl-base", "libsqlite3-0"):
            newest = max(suites.binaries(name), key=lambda one: dpkg(one.version))
            source = "" if newest.source == name else f"Source: {newest.source}\n"
            status.append(f"Package: {name}\n{STATUS}Architecture: amd64\n{source}Version: {newest.version}\n")
    fresh = found_by_syft(debian_root(tmp_path / "fresh", "\n".join(status), os_release))
    found, (said,) = assess(fresh, os_release=os_release, sources=[DebianSource(folder=store)])
    assert found == ()
    assert (said.ecosystem, said.assessed_by, said.remarks) == (
        "Debian:13",
        "debian",
        ("0 of 6 packages have a newer version in Debian",),
    )


# --- trivy ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [True, False], ids=["a database is there", "none is there"])
def test_trivy_is_told_to_leave_a_database_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    version = {"Version": "0.59.1"} | ({"VulnerabilityDB": {"UpdatedAt": "2026-11-20T06:07:07Z"}} if there else {})
    program = tmp_path / "trivy"
    program.write_text(
        f"#!/bin/sh\nif [ $1 = version ]; then echo '{json.dumps(version)}'; exit; fi\n"
        f'for last; do :; done; cp "$last" {tmp_path}/bill.json; echo "$@" > {tmp_path}/words\n'
        f"cat {ASSETS}/trivy-0.59.1.json\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    purl = "pkg:deb/debian/libssl1.1@1.1.1w-0%2Bdeb11u1?arch=amd64&distro=debian-11&upstream=openssl"
    one = Component(variant="x1", name="libssl1.1", version="1.1.1w-0+deb11u1", purl=purl, type="library")
    found, (said,) = assess([one], os_release='ID=debian\nVERSION_ID="11"\n', sources=[TrivySource()])
    assert {vulnerability.id for vulnerability in found} == {"CVE-2023-5678", "CVE-2024-0727"}
    assert (said.assessed_by, said.as_of) == ("trivy", "2026-11-20" if there else "unknown")
    assert ("--skip-db-update" in (tmp_path / "words").read_text()) is there
    assert "aquasecurity:trivy:SrcName" in (tmp_path / "bill.json").read_text()


# --- Python ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    not (OSV / "PyPI" / "all.zip").exists(),
    reason="no real OSV data at hand: SEATRIAL_OSV_DATA may name a folder that holds PyPI/all.zip, as OSV publishes it",
)
def test_old_releases_in_site_packages_are_found_as_syft_names_them(tmp_path: Path) -> None:
    old = {"Flask": "2.2.2", "Werkzeug": "2.2.2", "Jinja2": "2.11.2", "gunicorn": "19.4.4", "requests": "2.19.0"}
    old |= {"urllib3": "1.24.1", "PyYAML": "5.3"}
    site = tmp_path / "image" / "usr" / "local" / "lib" / "python3.13" / "site-packages"
    for name, version in old.items():
        folder = site / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
        (folder / "RECORD").write_text("", "utf-8")
    components = found_by_syft(tmp_path / "image")
    found, (said,) = assess(components, sources=[OsvSource(OSV, index_folder=tmp_path / "index")])
    assert said.assessed_by == "osv"
    assert {one.component.lower() for one in found} == {name.lower() for name in old}
    assert len(found) == 17
    assert all(one.fixable for one in found)


# --- fetching ----------------------------------------------------------------------------------------------------


class Server(BaseHTTPRequestHandler):
    """Serves dumps from memory as OSV's own address does: with an ETag, and 304 for what is known already."""

    dumps: ClassVar[dict[str, bytes]] = {}
    lie_about_length = False

    def do_GET(self) -> None:
        data = self.dumps.get(self.path)
        if data is None:
            self.send_error(404)
            return
        etag = f'"{hash(data)}"'
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(data) + (500 if self.lie_about_length else 0)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{{ecosystem}}/all.zip"
    server.shutdown()
    thread.join()
    server.server_close()
    Server.dumps.clear()
    Server.lie_about_length = False


def zipped(folder: Path, *ids: str) -> bytes:
    path = folder / "made.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for identifier in ids:
            package = {"package": {"ecosystem": "PyPI", "name": "flask"}, "versions": ["1.0"]}
            record = {"id": identifier, "modified": "2026-01-01T00:00:00Z", "affected": [package]}
            archive.writestr(f"{identifier}.json", json.dumps(record))
    return path.read_bytes()


def flask(folder: Path) -> tuple[list[str], Assessment]:
    one = Component(variant="x1", name="flask", version="1.0", purl="pkg:pypi/flask@1.0", type="library")
    found, (said,) = assess([one], sources=[OsvSource(folder, index_folder=folder / "index")])
    return [v.id for v in found], said


def test_data_is_fetched_whole_and_dated_and_fetched_again_only_when_it_changed(tmp_path: Path, address: str) -> None:
    def fetch() -> fetching.Fetched:
        (done,) = fetching.update(["PyPI"], folder=tmp_path, address=address, index_folder=tmp_path / "index")
        assert isinstance(done, fetching.Fetched)
        return done

    Server.dumps["/PyPI/all.zip"] = zipped(tmp_path, "PYSEC-1")
    first = fetch()
    assert (first.records, first.changed) == (1, True)
    found, said = flask(tmp_path)
    assert found == ["PYSEC-1"]
    assert said.as_of == first.as_of
    assert not [remark for remark in said.remarks if "days old" in remark]
    assert not fetch().changed
    Server.dumps["/PyPI/all.zip"] = zipped(tmp_path, "PYSEC-1", "PYSEC-2")
    assert fetch().changed
    assert flask(tmp_path)[0] == ["PYSEC-1", "PYSEC-2"]


@pytest.mark.parametrize("how", ["not there", "cut short", "no archive"])
def test_what_fails_leaves_the_old_data_in_use_and_is_said(tmp_path: Path, address: str, how: str) -> None:
    Server.dumps["/PyPI/all.zip"] = zipped(tmp_path, "PYSEC-1")
    fetching.update(["PyPI"], folder=tmp_path, address=address, index_folder=tmp_path / "index")
    if how == "not there":
        Server.dumps.clear()
    elif how == "cut short":
        Server.dumps["/PyPI/all.zip"] = zipped(tmp_path, "PYSEC-1", "PYSEC-2")
        Server.lie_about_length = True
    else:
        Server.dumps["/PyPI/all.zip"] = b"<html>maintenance</html>"
    (missing,) = fetching.update(["PyPI"], folder=tmp_path, address=address, index_folder=tmp_path / "index")
    assert isinstance(missing, fetching.Missing)
    assert missing.reason
    assert missing.kept_as_of
    assert flask(tmp_path)[0] == ["PYSEC-1"]
    assert not list(tmp_path.rglob("*.part"))


def test_an_address_that_is_not_safe_is_not_fetched(tmp_path: Path) -> None:
    for address in ("http://example.org/{ecosystem}", "file:///etc/{ecosystem}", "http://127.0.0.1.example.org/x"):
        (missing,) = fetching.update(["PyPI"], folder=tmp_path, address=address)
        assert isinstance(missing, fetching.Missing)
        assert "no https address" in missing.reason


# --- mirrors that fail -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["http://user:secret@127.0.0.1:9/debian", "file:///no/such/archive"], ids=["refused", "no archive"]
)
def test_a_mirror_that_fails_is_said_and_not_waited_for_again(tmp_path: Path, address: str) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("this machine has no apt")
    one = Component(
        variant="article", name="zlib1g", version="1", purl="pkg:deb/debian/zlib1g@1?distro=debian-13", type="library"
    )
    told: list[str] = []
    source = DebianSource(folder=tmp_path, mirrors=Mirrors(main=address, security=address), say=told.append)
    for _ in range(2):
        found, (said,) = assess([one], os_release="ID=debian\nVERSION_CODENAME=trixie\n", sources=[source])
        assert found == ()
        assert said.assessed_by is None
        assert "the suite trixie could not be had" in said.reason
        assert "secret" not in said.reason
    assert len(told) == 1
