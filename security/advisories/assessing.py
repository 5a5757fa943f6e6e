"""Asks every source about an image's components, and says for each ecosystem whether anybody could answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.errors import SeatrialError
from harness.model import Assessment, Component, Vulnerability
from security.advisories.ecosystems import NO_PURL, parse_os_release, sort_components
from security.advisories.interface import Answer, Covered, Inventory, NotCovered, Source
from security.advisories.merging import merge

NAMED = 5


def assess(
    components: Sequence[Component],
    *,
    os_release: str | None = None,
    sources: Sequence[Source],
    sbom: Path | None = None,
) -> tuple[tuple[Vulnerability, ...], tuple[Assessment, ...]]:
    """Look up the components of one image in every source.

    A source that fails makes its ecosystems "not assessed", with its own message as the reason; it never makes them
    look clean, and never stops the others.

    Args:
        components: all of one image, with purls as syft writes them; where a package is in several layers, the
            lowest first.
        os_release: the image's os-release file, as text, where it has one.
        sources: who is asked.
        sbom: the CycloneDX file that the components came from, for sources that read one.

    Returns:
        The vulnerabilities, each once whichever sources agree on it, and for each ecosystem at least one assessment.

    """
    distribution = parse_os_release(os_release) if os_release else None
    sorted_ = sort_components(components, distribution)
    inventory = Inventory(packages=sorted_.packages, distribution=distribution, sbom=sbom)
    answers = [(source.name, _ask(source, inventory)) for source in sources]
    known = {package.purl for package in inventory.packages}
    matches = [match for _, answer in answers for match in answer.matches if match.purl in known]
    assessments = [one for ecosystem in inventory.ecosystems for one in _assessments(ecosystem, inventory, answers)]
    if sorted_.unknown:
        reason = f"no usable package URL: {_named(sorted_.unknown)}"
        assessments.append(Assessment(ecosystem=NO_PURL, assessed_by=None, as_of=None, reason=reason))
    if not assessments:
        reason = "the inventory holds no package, so there was nothing to look up"
        assessments.append(Assessment(ecosystem="all", assessed_by=None, as_of=None, reason=reason))
    return tuple(merge(matches, inventory.packages, components)), tuple(assessments)


def _ask(source: Source, inventory: Inventory) -> Answer:
    try:
        return source.lookup(inventory)
    except SeatrialError as error:
        failed = NotCovered(reason=error.message)
        return Answer(coverage={ecosystem: failed for ecosystem in inventory.ecosystems})


def _assessments(ecosystem: str, inventory: Inventory, answers: Sequence[tuple[str, Answer]]) -> list[Assessment]:
    """Return one assessment for each source that covered the ecosystem, or one that says why none did."""
    covered: list[Assessment] = []
    failures: list[str] = []
    for name, answer in answers:
        said = answer.coverage.get(ecosystem)
        if isinstance(said, Covered):
            covered.append(
                Assessment(ecosystem=ecosystem, assessed_by=name, as_of=said.as_of, reason="", remarks=said.remarks)
            )
        elif isinstance(said, NotCovered):
            failures.append(f"{name}: {said.reason}")
    if not covered:
        who = _named([f"{one.name} {one.version}" for one in inventory.of(ecosystem)])
        reason = "; ".join(failures) or f"no source knows this kind of package: {who}"
        return [Assessment(ecosystem=ecosystem, assessed_by=None, as_of=None, reason=reason)]
    if failures:
        remarks = (*covered[0].remarks, *(f"not assessed by {failure}" for failure in failures))
        covered[0] = covered[0].model_copy(update={"remarks": remarks})
    return covered


def _named(who: Sequence[str]) -> str:
    rest = f" and {len(who) - NAMED} more" if len(who) > NAMED else ""
    return ", ".join(who[:NAMED]) + rest
