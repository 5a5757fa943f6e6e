"""The container runs what its image's tag names now."""

from __future__ import annotations

from harness.model import Failed, Outcome, Passed, Severity, Skipped
from security.check import Check
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.28",
    title="The container runs what its image's tag names now",
    severity=Severity.MEDIUM,
    rationale="An older image lacks the patches of the newer one.",
    remediation="Start the container anew from the tag as it is now.",
    good=[RunningContainer(image_id="sha256:a", image_reference="app:1", tag_points_to="sha256:a")],
    bad=[RunningContainer(image_id="sha256:a", image_reference="app:1", tag_points_to="sha256:b")],
    unclear=[
        RunningContainer(),
        RunningContainer(image_id="sha256:a", image_reference="sha256:a", tag_points_to="sha256:a"),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Compare with the engine's own tag; whether a registry has a newer one is not asked."""
    if container.tag_points_to is None or container.image_reference.startswith("sha256:"):
        return Skipped(reason="The container was started from an image without a tag that is still known.")
    if container.tag_points_to == container.image_id:
        return Passed()
    return Failed(
        evidence=(f"{container.image_reference}: runs {container.image_id}, is now {container.tag_points_to}",)
    )
