"""The scan of a real image, with the real engine, syft and hadolint; and with scanners that print garbage."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from harness import tools
from harness.engine.client import Engine
from harness.errors import UnreadableOutput
from harness.model import Failed, Image, NotMeasured, Passed, Skipped
from harness.process import call
from security import archive
from security.file_system import read_file_system
from security.scan import scan_image
from tests.image_archives import file, folder, layer, save, special
from tests.made_records import image as record

TAG = "seatrial-test-scan:1"
METADATA = b"Metadata-Version: 2.1\nName: flask\nVersion: 2.2.2\nLicense: BSD-3-Clause\n"
STATUS = b"Package: libc6\nStatus: install ok installed\nVersion: 2.41-12\nArchitecture: amd64\nSource: glibc\n\n"
FILES = layer(
    file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\napp:x:10001:10001::/:/bin/sh\n"),
    file("etc/os-release", b'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n'),
    folder("var/lib/dpkg"),
    file("var/lib/dpkg/status", STATUS),
    file("usr/lib/python3/dist-packages/flask-2.2.2.dist-info/METADATA", METADATA),
    file("usr/lib/python3/dist-packages/flask-2.2.2.dist-info/RECORD", b"flask/__init__.py,,\n"),
    file("usr/bin/su", b"x", mode=0o4755),
    special("usr/bin/loop", tarfile.SYMTYPE, target="loop"),
    special("usr/bin/out", tarfile.SYMTYPE, target="../../../../../etc/passwd"),
)
DOCKERFILE = "FROM scratch\nADD app.py /\nUSER 10001\n"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def built(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Image]:
    """An image of those files, run by the user that the test names; it is gone afterwards."""
    user = getattr(request, "param", "10001")
    identifier = engine.load_filesystem(io.BytesIO(FILES), tag=TAG, changes=[f"USER {user}"] if user else [])
    try:
        inspected = engine.image(identifier) or {}
        yield record(digest=identifier, reference=TAG, layers=tuple(inspected["RootFS"]["Layers"]))
    finally:
        engine.client.images.remove(identifier, force=True)


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    path = tmp_path / "Dockerfile"
    path.write_text(DOCKERFILE)
    return path


def test_a_real_image_is_scanned_and_not_twice(engine: Engine, built: Image, dockerfile: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    found = scan_image(built, dockerfile=dockerfile, engine=engine, sbom_dir=tmp_path / "sbom")
    first_s = time.monotonic() - began
    steps = {step.name: step for step in found.steps}
    assert isinstance(steps["syft"].outcome, Passed)
    assert isinstance(steps["hadolint"].outcome, Failed)
    assert steps["syft"].version
    assert steps["hadolint"].version
    findings = {one.id: one for one in found.findings}
    assert findings["CIS-4.8"].where == "/usr/bin/su"
    assert findings["CIS-4.9"].sources == ("hadolint", "seatrial"), "one line for what two sources say"
    assert "CIS-4.1" not in findings

    assert not isinstance(found.components, NotMeasured)
    purls = {one.purl.partition("?")[0]: one for one in found.components}
    assert {"pkg:deb/debian/libc6@2.41-12", "pkg:pypi/flask@2.2.2"} <= set(purls)
    assert purls["pkg:pypi/flask@2.2.2"].layer_diff_id == built.layers[0].diff_id
    assert [row.ecosystem for row in found.assessments] == ["Debian:13", "PyPI"]

    text = (tmp_path / "sbom" / "slim-dev.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert found.sbom == "sbom/slim-dev.cdx.json"

    began = time.monotonic()
    again = scan_image(built, dockerfile=dockerfile, engine=engine, sbom_dir=tmp_path / "other")
    assert again == found
    assert time.monotonic() - began < first_s / 2
    assert json.loads((tmp_path / "other" / "slim-dev.cdx.json").read_text()) == json.loads(text)


@pytest.mark.parametrize("built", ["", "0", "0:0", "root", "toor"], indirect=True)
def test_an_image_that_runs_as_root_is_a_finding(
    engine: Engine, built: Image, dockerfile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "find", lambda name: None)  # the scanners have no part in this
    found = scan_image(built, dockerfile=dockerfile, engine=engine, sbom_dir=tmp_path)
    assert "CIS-4.1" in {one.id for one in found.findings}


@pytest.mark.parametrize("output", ["", "not JSON", "[]]", '{"bomFormat": "CycloneDX"'])
@pytest.mark.parametrize("scanner", ["syft", "hadolint"])
def test_a_scanner_that_prints_garbage_turns_the_scan_red(
    engine: Engine,
    built: Image,
    dockerfile: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scanner: str,
    output: str,
) -> None:
    program = tmp_path / scanner
    program.write_text(f"#!/bin/sh\nprintf '%s' '{output}'\n")
    program.chmod(0o755)
    monkeypatch.setattr(tools, "find", lambda name: program if name == scanner else None)
    with pytest.raises(UnreadableOutput) as raised:
        scan_image(built, dockerfile=dockerfile, engine=engine, sbom_dir=tmp_path)
    assert raised.value.exit_code == 7
    assert scanner in raised.value.message


@pytest.mark.parametrize("scanner", ["syft", "hadolint"])
def test_a_scanner_that_fails_turns_the_scan_red(
    engine: Engine, built: Image, dockerfile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scanner: str
) -> None:
    program = tmp_path / scanner
    program.write_text("#!/bin/sh\necho 'out of memory' >&2\nexit 137\n")
    program.chmod(0o755)
    monkeypatch.setattr(tools, "find", lambda name: program if name == scanner else None)
    with pytest.raises(UnreadableOutput, match="out of memory"):
        scan_image(built, dockerfile=dockerfile, engine=engine, sbom_dir=tmp_path)


def test_ignore_comments_and_the_users_configuration_hide_nothing(
    engine: Engine, built: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".hadolint.yaml").write_text("ignored: [DL3020, DL3025]\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HADOLINT_IGNORE", "DL3020")
    real = tools.find
    monkeypatch.setattr(tools, "find", lambda name: real(name) if name == "hadolint" else None)
    path = tmp_path / "Dockerfile"
    path.write_text("FROM scratch\n# hadolint ignore=DL3020\nADD app.py /\n# hadolint ignore=DL3025\nCMD python3 x\n")
    found = scan_image(built, dockerfile=path, engine=engine, sbom_dir=tmp_path)
    (step,) = (step for step in found.steps if step.name == "hadolint")
    assert isinstance(step.outcome, Failed)
    assert "DL3020" in str(step.outcome.evidence)
    assert "DL3025" in str(step.outcome.evidence)


def test_a_dockerfile_that_hadolint_cannot_parse_is_skipped_with_the_reason(
    engine: Engine, built: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tools.find
    monkeypatch.setattr(tools, "find", lambda name: real(name) if name == "hadolint" else None)
    path = tmp_path / "Dockerfile"
    path.write_text("FROM scratch\nNEWINSTRUCTION x\n")
    found = scan_image(built, dockerfile=path, engine=engine, sbom_dir=tmp_path)
    (step,) = (step for step in found.steps if step.name == "hadolint")
    assert isinstance(step.outcome, Skipped)
    assert "line 2" in step.outcome.reason


def test_broken_package_databases_are_a_finding_and_never_a_clean_image(
    engine: Engine, dockerfile: Path, tmp_path: Path
) -> None:
    broken = layer(
        file("etc/os-release", b'ID=debian\nVERSION_ID="13"\n'),
        file("var/lib/dpkg/status", b"\x00\x01\x02 no stanza\n" * 100),
        file("lib/apk/db/installed", b"P:musl\nV" + b"\xff" * 100),
        file("usr/lib/python3/dist-packages/flask-2.2.2.dist-info/METADATA", b"\xff\xfe not headers"),
        file("usr/lib/python3/dist-packages/x-1.dist-info/RECORD", b"\x00,,,,\n\n\n"),
    )
    identifier = engine.load_filesystem(io.BytesIO(broken), tag=TAG, changes=["USER 10001"])
    try:
        image = record(digest=identifier, reference=TAG)
        found = scan_image(image, dockerfile=dockerfile, engine=engine, sbom_dir=tmp_path)
    finally:
        engine.client.images.remove(identifier, force=True)
    (step,) = (step for step in found.steps if step.name == "SEA-INV-0001")
    assert isinstance(step.outcome, Failed)
    told = " ".join(step.outcome.evidence)
    assert "/var/lib/dpkg/status" in told
    assert "flask-2.2.2.dist-info/METADATA" in told


def test_layer_efficiency_is_what_dive_says(tmp_path: Path) -> None:
    """Deleted folders apart: dive counts what was in them as useful."""
    layers = [
        layer(file("a", b"x" * 5000), file("d/b", b"x" * 3000), file("keep", b"x" * 1000)),
        layer(file("a", b"x" * 4000), file("d/.wh.b"), file("new", b"x" * 700)),
        layer(file("a", b"x" * 6000)),
    ]
    path = save(tmp_path / "image.tar", layers, config={"history": [{"created_by": f"layer {n}"} for n in range(3)]})
    with archive.opened(path) as opened:
        files = read_file_system(opened)
    program = tools.require("dive", hint="It is in the locked requirements.")
    call((program, f"docker-archive://{path}", "--json", tmp_path / "dive.json"), timeout_s=60, env={"CI": "true"})
    said = json.loads((tmp_path / "dive.json").read_text())["image"]
    assert files.least_bytes / files.discovered_bytes == pytest.approx(said["efficiencyScore"], abs=1e-9)
