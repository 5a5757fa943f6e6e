"""The outside programs of a scan, hadolint and syft, each with the row that the scan shows of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from harness.errors import ToolMissing
from harness.model import Failed, Image, Outcome, Passed, ScanStep, Skipped
from security.scanners import hadolint, syft

NO_DOCKERFILE = "an image by name comes without its Dockerfile"

Step = Callable[[float], ScanStep]


def lint(path: Path | None) -> tuple[tuple[hadolint.Remark, ...], Step]:
    """Return what hadolint says of a Dockerfile, and the row that tells of it once its seconds are known."""
    if path is None:
        return (), _step(hadolint.NAME, "", Skipped(reason=NO_DOCKERFILE))
    remarks: tuple[hadolint.Remark, ...] = ()
    version = ""
    try:
        version = hadolint.version()
        remarks = hadolint.run(path)
        outcome: Outcome = Passed()
        if remarks:
            outcome = Failed(evidence=tuple(f"Dockerfile:{one.line}: {one.rule} {one.message}" for one in remarks))
    except ToolMissing as error:
        outcome = Skipped(reason=f"{error.message} {error.hint}")
    except hadolint.NotParsed as error:
        outcome = Skipped(reason=error.message)
    return remarks, _step(hadolint.NAME, version, outcome)


def bill_of_materials(
    saved: Path, image: Image, known: str | None, cancel: threading.Event | None = None
) -> tuple[str | None, Step]:
    """Return an image's bill of materials, where syft is there to make it, and the row that tells of it."""
    try:
        text = known if known is not None else syft.run(saved, name=image.reference, cancel=cancel)
    except ToolMissing as error:
        return None, _step(syft.NAME, "", Skipped(reason=f"{error.message} {error.hint}"))
    return text, _step(syft.NAME, syft.version(syft.parse(text)), Passed())


def _step(name: str, version: str, outcome: Outcome) -> Step:
    return lambda seconds: ScanStep(name=name, version=version, outcome=outcome, seconds=seconds)
