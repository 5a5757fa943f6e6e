"""The scan of one image: its archive saved once, read by syft and by the checks at the same time; then findings."""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from harness.engine.client import Engine
from harness.errors import UsageError
from harness.model import (
    Assessment,
    BaseSource,
    Component,
    Failed,
    Finding,
    Image,
    LicencePolicy,
    Model,
    NotMeasured,
    Outcome,
    Passed,
    Scan,
    ScanStep,
    Skipped,
    Vulnerability,
)
from security import archive, cache, dockerfile, findings, image_config, inventory, listing, secrets
from security.check import LoadedCheck, discover
from security.file_system import read_file_system
from security.scan_programs import NO_DOCKERFILE, bill_of_materials, lint
from security.scanners import hadolint, syft
from security.subjects import BuiltImage, Dockerfile, FileSystem, ImageConfig

T = TypeVar("T")

VULNERABILITIES = "CIS-4.4"
NOT_LOOKED_AT = {
    VULNERABILITIES: f"known vulnerabilities: {inventory.NO_SOURCE}",
    "CIS-4.12": "signatures of artifacts: no rule can tell from an image; a person has to",
}
"""Rows of the tables that no check tests, and why. They stand among the steps, so that their silence is no pass."""


BY_DOCKERFILE = ("CIS-4.2", "CIS-4.11")
"""Checks of a whole image that read its Dockerfile too."""


class _Policy(Model):
    """What the settings ask of an image; part of the cache's key."""

    licences: LicencePolicy
    allowed_bases: tuple[str, ...]


class Assess(Protocol):
    """Looks components up in sources of advisories."""

    def __call__(
        self, components: Sequence[Component], *, os_release: str | None, sbom: Path | None
    ) -> tuple[tuple[Vulnerability, ...], tuple[Assessment, ...]]:
        """Return what is known to be wrong, and for each ecosystem who said so, or why nobody did."""


def scan_image(
    image: Image,
    *,
    dockerfile: Path | None,
    engine: Engine,
    sbom_dir: Path,
    files_dir: Path | None = None,
    use_cache: bool = True,
    licences: LicencePolicy | None = None,
    allowed_bases: Sequence[str] = (),
    assess: Assess | None = None,
) -> Scan:
    """Scan one image.

    Args:
        image: the built image, as the engine has it.
        dockerfile: what it was built from; None where that is not known, and then nothing looks at it.
        engine: where the image is.
        sbom_dir: the folder that gets `<variant>.cdx.json`.
        files_dir: the folder that gets the listing of its files; without it none is kept.
        use_cache: whether an equal scan done before may stand for this one. What advisories say is never cached here.
        licences: which licences may be inside; without it none is judged.
        allowed_bases: patterns of the images that a stage may be made from; without one, all.
        assess: looks the components up in sources of advisories; without it every ecosystem is "not assessed".

    Raises:
        UnreadableOutput: the image's archive or a scanner's output is not what it should be.
        UsageError: the Dockerfile cannot be read, the engine does not have the image, or the cache cannot be written.

    """
    policy = _Policy(licences=licences or LicencePolicy(), allowed_bases=tuple(allowed_bases))
    key = _key(image, dockerfile, policy)
    sbom = cache.load_sbom(_sbom_key(image)) if use_cache else None
    known = cache.load_scan(key) if use_cache else None
    if known is None or (sbom is None and not isinstance(known.scan.sbom, NotMeasured)):
        known, sbom = _scan(image, dockerfile, engine, sbom, policy)
        if sbom is not None:
            cache.keep_sbom(_sbom_key(image), sbom)
        cache.keep_scan(key, known)
    path = sbom_dir / f"{image.variant}.cdx.json"
    if sbom is not None:
        cache.write_whole(path, sbom)
    if files_dir is not None and known.scan.files is not None:
        cache.write_whole(files_dir / Path(known.scan.files.listing).name, base64.b64decode(known.listing))
    return known.scan if assess is None else _assessed(known, assess, path if sbom is not None else None)


def _key(image: Image, path: Path | None, policy: _Policy) -> str:
    try:
        text = path.read_bytes() if path is not None else b""
    except OSError as error:
        raise UsageError(f"The Dockerfile {path} cannot be read: {error.strerror}.") from error
    programs = (cache.program_identity(name) for name in (syft.NAME, hadolint.NAME))
    return cache.key_of(
        image.variant,
        image.digest,
        image.base.source,
        image.base.digest,
        _content_trust(),
        hashlib.sha256(text).hexdigest(),
        str(image.interpreter),
        policy.model_dump_json(),
        cache.source_hash(),
        *programs,
    )


def _sbom_key(image: Image) -> str:
    return cache.key_of(image.variant, image.digest, cache.program_identity(syft.NAME), cache.scanners_hash())


def _scan(
    image: Image, path: Path | None, engine: Engine, sbom: str | None, policy: _Policy
) -> tuple[cache.KnownScan, str | None]:
    began = time.monotonic()
    parsed = dockerfile.read(path) if path is not None else None
    with tempfile.TemporaryDirectory(prefix="scan-", dir=cache.scratch()) as folder, ThreadPoolExecutor(2) as pool:
        linted = pool.submit(_timed, lambda: lint(path))
        saved = _saved(image, engine, Path(folder))
        refused = threading.Event()
        list_it = partial(_timed, lambda: bill_of_materials(saved, image, sbom, refused))
        with archive.opened(saved) as contents:
            # syft unpacks to disk, and has no bound of its own: it waits until what expands is known to be bounded.
            bill = None if contents.compressed else pool.submit(list_it)
            try:
                subject = _subject(image, contents, parsed)
            except BaseException:
                refused.set()
                raise
        (remarks, lint_step), lint_seconds = linted.result()
        (sbom, bill_step), bill_seconds = bill.result() if bill is not None else list_it()
    steps = [bill_step(bill_seconds), lint_step(lint_seconds)]
    components = inventory.components(syft.parse(sbom), image, subject.files) if sbom is not None else None
    subject = replace(subject, components=components, licences=policy.licences, allowed_bases=policy.allowed_bases)
    found: list[Finding] = findings.of_hadolint(remarks, image.variant)
    for one in discover():
        outcome, seconds = _timed(partial(_outcome, one, subject, by_name=path is None))
        steps.append(ScanStep(name=one.check.id, version="", outcome=outcome, seconds=seconds))
        if isinstance(outcome, Failed):
            found += findings.of_check(one.check, outcome, image.variant)
    steps += [
        ScanStep(name=name, version="", outcome=Skipped(reason=why), seconds=0) for name, why in NOT_LOOKED_AT.items()
    ]
    unknown = _not_measured(steps[0].outcome)
    scan = Scan(
        variant=image.variant,
        image_digest=image.digest,
        scanned_at=datetime.now(UTC),
        seconds=time.monotonic() - began,
        steps=tuple(steps),
        findings=findings.merged(found, passed=[step.name for step in steps if isinstance(step.outcome, Passed)]),
        components=components if components is not None else unknown,
        assessments=_nobody(unknown.not_measured) if components is None else inventory.unassessed(components),
        sbom=f"sbom/{image.variant}.cdx.json" if sbom is not None else unknown,
        files=listing.summary(subject.files, image.variant),
        configuration=listing.configuration(subject.config),
    )
    os_release = subject.files.text("etc/os-release") or subject.files.text("usr/lib/os-release")
    listed = base64.b64encode(listing.listing(subject.files)).decode("ascii")
    return cache.KnownScan(scan=scan, os_release=os_release, listing=listed), sbom


def _assessed(known: cache.KnownScan, assess: Assess, sbom: Path | None) -> Scan:
    """Return a scan with what the sources of advisories say of its components."""
    scan = known.scan
    if isinstance(scan.components, NotMeasured):
        return scan
    (vulnerabilities, assessments), seconds = _timed(
        partial(assess, scan.components, os_release=known.os_release, sbom=sbom)
    )
    fixable = sorted({f"{one.component} {one.installed_version}: {one.id}" for one in vulnerabilities if one.fixable})
    nobody = sorted({one.ecosystem for one in assessments if one.assessed_by is None})
    outcome: Outcome = Passed()
    if fixable:
        outcome = Failed(evidence=tuple(fixable))
    elif nobody:
        outcome = Skipped(reason=f"nobody assessed {', '.join(nobody)}")
    row = ScanStep(name=VULNERABILITIES, version="", outcome=outcome, seconds=seconds)
    return scan.model_copy(
        update={
            "vulnerabilities": vulnerabilities,
            "assessments": assessments,
            "steps": tuple(row if step.name == VULNERABILITIES else step for step in scan.steps),
        }
    )


def _nobody(why: str) -> tuple[Assessment, ...]:
    return (Assessment(ecosystem="all", assessed_by=None, as_of=None, reason=why),)


def _saved(image: Image, engine: Engine, folder: Path) -> Path:
    if engine.image(image.digest) is None:
        raise UsageError(f"The engine no longer has the image of {image.variant}.", "Run `seatrial build` again.")
    path = folder / "image.tar"
    try:
        with path.open("wb") as file:
            for chunk in engine.save(image.digest):
                file.write(chunk)
    except OSError as error:
        raise UsageError(f"The archive of {image.variant} cannot be written to {folder}: {error.strerror}.") from error
    return path


def _subject(image: Image, contents: archive.ImageArchive, parsed: Dockerfile | None) -> BuiltImage:
    return BuiltImage(
        config=image_config.parse(contents.config),
        files=read_file_system(contents, inspect=secrets.kinds_in),
        dockerfile=parsed or Dockerfile(instructions=(), stages=()),
        base_from_registry=image.base.source is BaseSource.REGISTRY,
        base_digest=image.base.digest,
        content_trust=_content_trust(),
    )


def _outcome(one: LoadedCheck, subject: BuiltImage, *, by_name: bool) -> Outcome:
    if by_name and (one.subject is Dockerfile or one.check.id in BY_DOCKERFILE):
        return Skipped(reason=NO_DOCKERFILE)
    outcome = one.test(_part(subject, one.subject))
    if isinstance(outcome, Failed):
        # Evidence quotes instructions, and an instruction may hold a password.
        return Failed(evidence=tuple(secrets.redacted(line) for line in outcome.evidence))
    return outcome


def _part(whole: BuiltImage, wanted: type) -> object:
    parts: dict[type, object] = {
        BuiltImage: whole,
        ImageConfig: whole.config,
        FileSystem: whole.files,
        Dockerfile: whole.dockerfile,
    }
    return parts[wanted]


def _not_measured(outcome: Outcome) -> NotMeasured:
    return NotMeasured(not_measured=outcome.reason if isinstance(outcome, Skipped) else "syft gave nothing")


def _content_trust() -> bool:
    return os.environ.get("DOCKER_CONTENT_TRUST") == "1"


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    began = time.monotonic()
    return work(), time.monotonic() - began
