"""What SARIF says of each check and each vulnerability once, for all its results: title, reasons, remedy, severity."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from harness.model import Finding, Severity, Vulnerability
from report.text import link, markdown, shortened
from security.check import Check, discover

LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.UNKNOWN: "warning",
}
SCORES = {
    Severity.CRITICAL: (9.0, 10.0, 9.5),
    Severity.HIGH: (7.0, 8.9, 8.0),
    Severity.MEDIUM: (4.0, 6.9, 5.5),
    Severity.LOW: (0.1, 3.9, 2.0),
}
"""The least and the most of CVSS 3.1's scale, and what stands for a severity without a score. UNKNOWN has none."""
HADOLINT_RULE = re.compile(r"(DL|SC)\d{4}")
CVE = re.compile(r"CVE-\d{4}-\d{4,}", re.ASCII)

Json = dict[str, Any]


def identifier(name: str) -> str:
    """Return a rule's id as SARIF has it."""
    return shortened(name, 120)


@cache
def checks() -> dict[str, Check]:
    """Return Seatrial's own checks of images, by id."""
    return {one.check.id: one.check for one in discover()}


def is_single(name: str) -> bool:
    """Say whether a rule makes one finding for all places of an image."""
    check = checks().get(name)
    return not check.one_finding_each if check is not None else bool(HADOLINT_RULE.fullmatch(name))


def of(findings: Iterable[Finding], vulnerabilities: Iterable[Vulnerability]) -> list[Json]:
    """Return the rules that results refer to, by id."""
    checked: dict[str, list[Finding]] = {}
    for finding in findings:
        checked.setdefault(identifier(finding.id), []).append(finding)
    known: dict[str, list[Vulnerability]] = {}
    for vulnerability in vulnerabilities:
        known.setdefault(identifier(vulnerability.id), []).append(vulnerability)
    made = {name: _of_vulnerability(name, group) for name, group in known.items()}
    made |= {name: _of_finding(name, group) for name, group in checked.items()}
    return [made[name] for name in sorted(made)]


def _of_finding(name: str, group: Sequence[Finding]) -> Json:
    first = min(group, key=lambda one: (one.title, one.remediation))
    worst = max((one.severity for one in group), key=lambda severity: severity.rank)
    check = checks().get(first.id)
    why = check.rationale if check else first.title
    tool = "hadolint" if HADOLINT_RULE.fullmatch(name) else "image"
    return _rule(
        name,
        title=first.title,
        full=f"{first.title}. {why}" if check else first.title,
        help_text=f"{why} {first.remediation}" if check else first.remediation,
        help_markdown=f"**{markdown(shortened(first.title))}**\n\n{markdown(why)}\n\n"
        f"**What to do:** {markdown(shortened(first.remediation, 600))}",
        severity=worst,
        score=None,
        tags=["security", tool],
    ) | ({"helpUri": _page(name)} if HADOLINT_RULE.fullmatch(name) else {})


def _of_vulnerability(name: str, group: Sequence[Vulnerability]) -> Json:
    worst = max(group, key=lambda one: (one.severity.rank, one.cvss_score or 0.0))
    summary = min((one.summary for one in group if one.summary), default="")
    aliases = sorted({alias for one in group for alias in one.aliases})
    pages = sorted({url for one in group for said in one.advisories if said.url and (url := link(said.url))})
    if CVE.fullmatch(name):
        pages.insert(0, f"https://nvd.nist.gov/vuln/detail/{name}")
    packages = sorted({one.component for one in group})
    known_as = f" Also known as {', '.join(aliases)}." if aliases else ""
    what = summary or f"A known vulnerability of {', '.join(packages)}."
    remedy = (
        "Take a version of the package without it where there is one: build anew on an updated base, or raise the pin."
    )
    lines = [f"**{markdown(name)}** {markdown(shortened(what, 600))}{markdown(shortened(known_as))}"]
    lines += [f"**Packages:** {markdown(shortened(', '.join(packages)))}", f"**What to do:** {remedy}"]
    lines += ["\n".join(f"- <{page}>" for page in pages[:8])] if pages else []
    made = _rule(
        name,
        title=f"{name} in {', '.join(packages)}",
        full=f"{what}{known_as}",
        help_text=remedy,
        help_markdown="\n\n".join(lines),
        severity=worst.severity,
        score=worst.cvss_score,
        tags=["security", "vulnerability"],
    )
    return made | ({"helpUri": pages[0]} if pages else {})


def _rule(
    name: str,
    *,
    title: str,
    full: str,
    help_text: str,
    help_markdown: str,
    severity: Severity,
    score: float | None,
    tags: list[str],
) -> Json:
    properties: Json = {"tags": tags, "precision": "high", "severity": severity.value}
    if severity in SCORES:
        properties["security-severity"] = _score(severity, score)
    return {
        "id": name,
        "shortDescription": {"text": shortened(title, 200)},
        "fullDescription": {"text": shortened(full, 1000)},
        "help": {"text": shortened(help_text, 1000), "markdown": help_markdown},
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": properties,
    }


def _score(severity: Severity, score: float | None) -> str:
    """Return a CVSS score where it agrees with the severity, which may be another source's word, else the middle."""
    least, most, middle = SCORES[severity]
    return f"{score if score is not None and least <= score <= most else middle:.1f}"


def _page(name: str) -> str:
    if name.startswith("SC"):
        return f"https://www.shellcheck.net/wiki/{name}"
    return f"https://github.com/hadolint/hadolint/wiki/{name}"
