"""Applies the ignore file and the VEX documents to a run: what does not count is marked in its parts."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.model import Results
from harness.results import RunFolder
from harness.settings import Settings
from images import variants as variant_files
from security import decisions, vex


def read(settings: Settings) -> decisions.Decisions:
    """Read the settings' ignore file and VEX documents.

    Raises:
        UsageError: one of them cannot be used.

    """
    return decisions.Decisions(
        ignores=decisions.load(settings.ignore),
        ignore_file=settings.ignore.name,
        statements=vex.read(settings.vex),
    )


def marked(results: Results, settings: Settings) -> Results:
    """Return a run with its findings and vulnerabilities marked as of today; nothing is written.

    Raises:
        UsageError: the ignore file or a VEX document cannot be used.

    """
    names = {variant.name for variant in (*results.variants, *variant_files.discover(settings.images))}
    today = datetime.now(UTC).date()
    decided = decisions.apply(results.scans, read(settings), today=today, variants=names)
    review = decided.review if results.scans else results.decisions
    return results.model_copy(update={"scans": decided.scans, "decisions": review})


def decide(folder: RunFolder, settings: Settings) -> Results:
    """Return a run with its findings and vulnerabilities marked as of today, and write the marks into its parts.

    Raises:
        UsageError: the ignore file or a VEX document cannot be used.
        UnreadableOutput: a part of the run cannot be read.

    """
    before = folder.load()
    after = marked(before, settings)
    if (folder.path / "run.json").exists():
        for old, new in zip(before.scans, after.scans, strict=True):
            if old != new:
                folder.write_scan(new)
        if after.scans and after.decisions is not None:
            folder.write_decisions(after.decisions)
    return after
