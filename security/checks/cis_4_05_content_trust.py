"""A base that was pulled must have been pulled with its signature checked."""

from __future__ import annotations

from harness.model import Failed, Outcome, Passed, Severity, Skipped
from security.check import Check
from security.subjects import BuiltImage

CHECK = Check(
    id="CIS-4.5",
    title="Base pulled without content trust",
    severity=Severity.LOW,
    rationale="Without content trust, or a digest, the engine takes whatever the registry gives out under a tag.",
    remediation="Pin the base by digest, or pull with DOCKER_CONTENT_TRUST=1 where the registry signs.",
    good=[BuiltImage(base_from_registry=True, content_trust=True)],
    bad=[BuiltImage(base_from_registry=True)],
    unclear=[BuiltImage(base_from_registry=False)],
)


def test(image: BuiltImage) -> Outcome:
    """Fail where the base was pulled and DOCKER_CONTENT_TRUST was off."""
    if not image.base_from_registry:
        return Skipped(reason="the base was made here from packages; nothing was pulled")
    if image.content_trust:
        return Passed()
    return Failed(evidence=("environment: DOCKER_CONTENT_TRUST is not 1, and the base came from a registry",))
