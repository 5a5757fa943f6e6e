"""Scans of images that were never scanned: findings, vulnerabilities and decisions, for tests that need no engine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from harness.model import (
    Advisory,
    Assessment,
    Component,
    Failed,
    Finding,
    Passed,
    Scan,
    ScanStep,
    Severity,
    Skipped,
    Suppression,
    Vulnerability,
)

DIGEST = "sha256:" + "1" * 64
IGNORED = Suppression(kind="ignored", source="ignore.toml", reason="it is not used", expires=date(2027, 3, 31))
NOT_AFFECTED = Suppression(
    kind="not affected",
    source="https://example.org/vex/1 by Example",
    reason="the code is not built in",
    justification="vulnerable_code_not_present",
)


def finding(identifier: str = "CIS-4.1", **changes: Any) -> Finding:
    """Make a finding."""
    fields: dict[str, Any] = {
        "id": identifier,
        "title": f"Rule {identifier}",
        "severity": Severity.MEDIUM,
        "variant": "slim-dev",
        "where": "image configuration",
        "evidence": "image configuration: no USER",
        "remediation": "Mend it.",
        "sources": ("seatrial",),
    }
    return Finding(**(fields | changes))


def vulnerability(identifier: str = "CVE-2026-1000", component: str = "libssl3", **changes: Any) -> Vulnerability:
    """Make a vulnerability of a Debian package."""
    version = changes.get("installed_version", "3.5.0-1")
    severity = changes.get("severity", Severity.HIGH)
    fields: dict[str, Any] = {
        "variant": "slim-dev",
        "id": identifier,
        "component": component,
        "purl": f"pkg:deb/debian/{component}@{version}?arch=amd64&distro=debian-13",
        "installed_version": version,
        "fixed_version": "3.5.0-2",
        "severity": severity,
        "summary": f"What {identifier} is",
        "sources": ("debian",),
        "advisories": (
            Advisory(source="debian", id=identifier, severity=severity, evidence=f"changelog: fixes {identifier}"),
        ),
        "layer_diff_id": "sha256:a",
    }
    return Vulnerability(**(fields | changes))


def assessed(ecosystem: str = "Debian:13", by: str | None = "debian", reason: str = "") -> Assessment:
    """Make an assessment; one by nobody needs a reason."""
    return Assessment(ecosystem=ecosystem, assessed_by=by, as_of="2026-11-20" if by else None, reason=reason)


def scan(*found: Finding | Vulnerability, **changes: Any) -> Scan:
    """Make a scan of these; its Debian packages were assessed."""
    vulnerabilities = tuple(one for one in found if isinstance(one, Vulnerability))
    fields: dict[str, Any] = {
        "variant": "slim-dev",
        "image_digest": DIGEST,
        "scanned_at": datetime(2026, 11, 24, tzinfo=UTC),
        "seconds": 1.0,
        "steps": (
            ScanStep(name="syft", version="1.18.1", outcome=Passed(), seconds=1),
            ScanStep(name="hadolint", version="2.15.1", outcome=Passed(), seconds=1),
            ScanStep(name="CIS-4.1", version="", outcome=Failed(evidence=("x",)), seconds=0),
            ScanStep(name="CIS-4.12", version="", outcome=Skipped(reason="a person has to"), seconds=0),
        ),
        "findings": tuple(one for one in found if isinstance(one, Finding)),
        "components": tuple(
            {
                one.purl: Component(
                    variant="slim-dev",
                    name=one.component,
                    version=one.installed_version,
                    purl=one.purl,
                    type="library",
                    licences=("MIT",),
                )
                for one in vulnerabilities
            }.values()
        ),
        "assessments": (assessed(),),
        "vulnerabilities": vulnerabilities,
        "sbom": "sbom/slim-dev.cdx.json",
    }
    return Scan(**(fields | changes))
