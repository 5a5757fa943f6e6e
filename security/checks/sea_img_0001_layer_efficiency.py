"""Layers must not carry what later layers remove or replace."""

from __future__ import annotations

from harness.model import Failed, Outcome, Passed, Severity, Skipped, Waste
from security.check import Check
from security.subjects import FileSystem

LEAST_EFFICIENCY = 0.9
"""dive's own limit for a build (`lowestEfficiency`)."""
NAMED = 5

CHECK = Check(
    id="SEA-IMG-0001",
    title="Layers that waste space",
    severity=Severity.LOW,
    rationale="What one layer brings and a later one removes or replaces is still stored, sent and readable.",
    remediation="Remove files in the RUN that makes them; set modes and owners in the COPY, not after it.",
    good=[FileSystem(least_bytes=95, discovered_bytes=100)],
    bad=[FileSystem(least_bytes=80, discovered_bytes=100, wasted=(Waste(path="big", bytes=20, copies=2),))],
    unclear=[FileSystem()],
)


def test(files: FileSystem) -> Outcome:
    """Fail where the least sizes of all paths are under 90% of the sizes in all layers; a deletion counts as size 0."""
    if not files.discovered_bytes:
        return Skipped(reason="the image holds no file that is not empty")
    score = files.least_bytes / files.discovered_bytes
    if score >= LEAST_EFFICIENCY:
        return Passed()
    worst = (f"/{one.path}: {one.bytes:,} bytes wasted, in {one.copies} layers" for one in files.wasted[:NAMED])
    return Failed(evidence=(f"layers: efficiency {score:.3f}, under {LEAST_EFFICIENCY}", *worst))
