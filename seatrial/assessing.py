"""Which sources of advisories the settings choose, as the scan is handed them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.model import Assessment, Component, Say, Vulnerability
from harness.settings import Settings
from security import advisories as known
from security.scan import Assess


def assessor(settings: Settings, say: Say) -> Assess:
    """Return what looks components up in the advisories that the settings name, or that are at hand."""
    sources = known.default_sources(advisories=settings.advisories, say=say)

    def assess(
        components: Sequence[Component], *, os_release: str | None, sbom: Path | None
    ) -> tuple[tuple[Vulnerability, ...], tuple[Assessment, ...]]:
        return known.assess(components, os_release=os_release, sources=sources, sbom=sbom)

    return assess
