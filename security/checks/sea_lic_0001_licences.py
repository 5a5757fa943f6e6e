"""Every component's licence must be one that the policy allows."""

from __future__ import annotations

from fnmatch import fnmatchcase

from harness.model import Component, LicencePolicy, Outcome, Severity, Skipped
from security.check import Check, failed_or_passed
from security.licences import alternatives
from security.subjects import BuiltImage


def _image(*licences: str, allow: tuple[str, ...] = (), deny: tuple[str, ...] = ()) -> BuiltImage:
    one = Component(variant="x", name="x", version="1", purl="", type="library", licences=licences)
    return BuiltImage(components=(one,), licences=LicencePolicy(allow=allow, deny=deny))


CHECK = Check(
    id="SEA-LIC-0001",
    title="Licences outside the policy",
    severity=Severity.MEDIUM,
    rationale="Whoever ships an image ships every component in it, under that component's terms.",
    remediation="Replace the component, or change the policy in the settings with whoever answers for it.",
    good=[
        _image("MIT", allow=("MIT",)),
        _image("GPL-2.0-only OR MIT", deny=("GPL-*",)),
        _image("MIT AND (BSD-3-Clause OR AGPL-3.0-only)", deny=("AGPL-*",)),
        _image("Apache-2.0", "MIT", allow=("Apache-*", "MIT")),
        _image(deny=("GPL-*",)),
    ],
    bad=[
        _image("AGPL-3.0-only", deny=("AGPL-*",)),
        _image("MIT AND AGPL-3.0-only", deny=("AGPL-*",)),
        _image("MIT", "AGPL-3.0-only", deny=("AGPL-*",)),
        _image("agpl-3.0-only", deny=("AGPL-*",)),
        _image("GPL-2.0-only WITH Classpath-exception-2.0", deny=("GPL-*",)),
        _image("Proprietary", allow=("MIT", "BSD-*")),
        _image(allow=("MIT",)),
    ],
    unclear=[BuiltImage(components=()), BuiltImage(licences=LicencePolicy(deny=("x",)))],
)


def test(image: BuiltImage) -> Outcome:
    """Fail for each component of which no alternative is allowed; with an allow list, unknown licences too."""
    policy = image.licences
    if not policy.allow and not policy.deny:
        return Skipped(reason="the settings have no licence policy")
    if image.components is None:
        return Skipped(reason="there is no inventory, so no licence is known")
    return failed_or_passed(
        [
            f"{one.name} {one.version}: {', '.join(one.licences) or 'no licence known'}"
            for one in image.components
            if not _met(one, policy)
        ]
    )


def _met(one: Component, policy: LicencePolicy) -> bool:
    if not one.licences:
        return not policy.allow
    return all(
        any(all(_allowed(name, policy) for name in way) for way in alternatives(expression))
        for expression in one.licences
    )


def _allowed(name: str, policy: LicencePolicy) -> bool:
    if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in policy.deny):
        return False
    return not policy.allow or any(fnmatchcase(name.lower(), pattern.lower()) for pattern in policy.allow)
