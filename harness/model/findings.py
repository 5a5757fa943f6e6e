"""What checks and scanners find in an image, and what was decided about it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from harness.model.base import Model, NotMeasured


class Severity(StrEnum):
    """How bad a finding is; UNKNOWN is not LOW."""

    UNKNOWN = "UNKNOWN"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """Return the place in the order, UNKNOWN lowest."""
        return list(Severity).index(self)


class Passed(Model):
    """A check looked and found nothing wrong."""

    outcome: Literal["passed"] = "passed"


class Failed(Model):
    """A check found something: each entry says where and what, in a line."""

    outcome: Literal["failed"] = "failed"
    evidence: tuple[str, ...]


class Skipped(Model):
    """A check could not look, and why. Never a pass."""

    outcome: Literal["skipped"] = "skipped"
    reason: str


Outcome = Annotated[Passed | Failed | Skipped, Field(discriminator="outcome")]


class LicencePolicy(Model):
    """Which licences may be in an image; patterns of SPDX ids (`GPL-3.0-*`), compared without regard to case."""

    allow: tuple[str, ...] = ()
    """With an entry here, only these are allowed, and an unknown licence is not."""
    deny: tuple[str, ...] = ()


class Suppression(Model):
    """A decision that a finding or vulnerability does not count, and whose it is; what it is about stays in results."""

    kind: Literal["ignored", "not affected", "fixed"]
    """`ignored`: an entry of the ignore file. The other two are a VEX statement's status."""
    source: str
    """The ignore file's name, or the VEX document's id and author."""
    reason: str
    justification: str = ""
    """A VEX statement's justification, by OpenVEX's own word; empty where it gives none."""
    expires: date | None = None
    """The last day on which it holds; a VEX statement has none."""


class Finding(Model):
    """One thing that is wrong with one image, its Dockerfile or its container."""

    id: str
    """The rule's id in its source's own scheme: CIS-4.1, DKL-LI-0003, DL3042."""
    title: str
    severity: Severity
    variant: str
    where: str
    """The file, instruction or setting."""
    evidence: str
    remediation: str
    sources: tuple[str, ...]
    """The scanners or checks that said so."""
    suppressed: Suppression | None = None
    """The decision by which it does not count."""


class ScanStep(Model):
    """What one scanner or check did for one image."""

    name: str
    version: str
    outcome: Outcome
    seconds: float


class Component(Model):
    """One package in an image, in CycloneDX's sense."""

    variant: str
    name: str
    version: str
    purl: str
    type: str
    licences: tuple[str, ...] = ()
    layer_diff_id: str | None = None


class Assessment(Model):
    """Whether one ecosystem of one image was looked up in a source of advisories."""

    ecosystem: str
    assessed_by: str | None
    as_of: str | None
    """Date of the source's data, not of the scan."""
    reason: str
    """Why not, where nothing assessed it."""
    remarks: tuple[str, ...] = ()
    """What limits the answer: components that could not be compared, old data, a release past its end of life."""


class Advisory(Model):
    """What one source says of one vulnerability of one component."""

    source: str
    """`osv`, `debian`, `trivy`, `grype`."""
    id: str
    """The source's own name for it: PYSEC-2023-62, CVE-2023-0286."""
    severity: Severity = Severity.UNKNOWN
    cvss_vector: str | None = None
    cvss_score: float | None = None
    fixed_version: str | None = None
    """The first version without it, in the component's own scheme; None where the source knows none."""
    evidence: str = ""
    """What was read and where: a changelog's line, the affected versions."""
    url: str | None = None


class Vulnerability(Model):
    """One thing that is known to be wrong with one component, whichever and however many sources say so."""

    variant: str
    id: str
    """The name most used: its CVE where it has one."""
    aliases: tuple[str, ...] = ()
    """Its other names."""
    component: str
    purl: str
    installed_version: str
    fixed_version: str | None
    """The first version without it by every source that knows one; None where none does."""
    severity: Severity
    """The worst that a source gives."""
    cvss_vector: str | None = None
    cvss_score: float | None = None
    summary: str = ""
    sources: tuple[str, ...]
    """The sources that agree on it."""
    advisories: tuple[Advisory, ...]
    layer_diff_id: str | None = None
    """The first layer that brought the component."""
    suppressed: Suppression | None = None
    """The decision by which it does not count."""

    @property
    def fixable(self) -> bool:
        """Whether a version without it is known."""
        return self.fixed_version is not None


class Waste(Model):
    """Bytes of one path that are in some layer but not in the merged file system, or are there twice."""

    path: str
    bytes: int
    copies: int


class ImageFiles(Model):
    """An image's files as a whole; what each is stands in a listing beside the scan."""

    number: int
    """Paths of the merged file system."""
    efficiency: float | NotMeasured
    """dive's score: the least size of each path over its sizes in all layers; 1.0 wastes nothing."""
    wasted_bytes: int
    """In some layer, and not in the merged file system, or there twice."""
    most_wasted: tuple[Waste, ...] = ()
    """The paths that waste most, the worst first; older records have none."""
    setuid: tuple[str, ...]
    """Paths of programs with setuid or setgid."""
    listing: str
    """Path of the listing in the run's folder."""


class Scan(Model):
    """All that the scan of one image found."""

    variant: str
    image_digest: str
    scanned_at: datetime
    seconds: float
    steps: tuple[ScanStep, ...]
    findings: tuple[Finding, ...]
    components: tuple[Component, ...] | NotMeasured
    assessments: tuple[Assessment, ...]
    vulnerabilities: tuple[Vulnerability, ...] = ()
    """Means nothing without the assessments: what was not assessed has none here."""
    sbom: str | NotMeasured
    """Path of the CycloneDX file in the run's folder."""
    files: ImageFiles | None = None
    """None in older records."""
    configuration: dict[str, str] | None = None
    """The image's own settings by name, credentials hidden: `user`, `env PATH`, `entrypoint`. None in older records."""


class StaleDecision(Model):
    """An entry of the ignore file that no longer does what it was written for: it fails the gate."""

    kind: Literal["expired", "unused"]
    id: str
    component: str
    variant: str
    """The pattern of variants that the entry names."""
    expires: date
    message: str
    """What is wrong with it, in a sentence."""


class DecisionReview(Model):
    """What became of the ignore file's entries on the day they were applied."""

    reviewed_on: date
    stale: tuple[StaleDecision, ...] = ()
