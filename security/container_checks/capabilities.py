"""All capabilities are dropped, and only those that are argued for added."""

from __future__ import annotations

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.running_container import RunningContainer

CHECK = Check(
    id="CIS-5.4",
    title="All capabilities are dropped, and only those that are argued for added",
    severity=Severity.HIGH,
    rationale="Each capability is a piece of root; the default set holds fourteen.",
    remediation="Start with --cap-drop ALL, and add what the app can be shown to need.",
    good=[
        RunningContainer(cap_drop=("ALL",)),
        RunningContainer(cap_drop=("ALL",), cap_add=("NET_BIND_SERVICE",), argued_capabilities=("NET_BIND_SERVICE",)),
    ],
    bad=[
        RunningContainer(),
        RunningContainer(cap_drop=("NET_RAW",)),
        RunningContainer(cap_drop=("ALL",), cap_add=("SYS_ADMIN",)),
        RunningContainer(cap_drop=("ALL",), cap_add=("ALL",)),
        RunningContainer(cap_drop=("ALL",), privileged=True),
    ],
)


def test(container: RunningContainer) -> Outcome:
    """Compare what is dropped with everything, and what is added with what is argued for."""
    evidence = [] if "ALL" in container.cap_drop else [f"CapDrop: {', '.join(container.cap_drop) or 'nothing'}"]
    evidence += [f"CapAdd: {name}" for name in container.cap_add if name not in container.argued_capabilities]
    if container.privileged:
        evidence.append("Privileged: every capability is held")
    return failed_or_passed(evidence)
