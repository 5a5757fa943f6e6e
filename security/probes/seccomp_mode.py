"""Whether a seccomp filter stands before the kernel."""

from __future__ import annotations

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="seccomp-mode",
    title="A seccomp filter is in force",
    severity=Severity.MEDIUM,
    group=Group.IDENTITY,
    rationale="Without one every system call of the kernel is within an attacker's reach.",
    remediation="Leave the engine's default seccomp profile on, or give a tighter one.",
)
MODES = {"0": "off", "1": "strict", "2": "filter"}


def attack(kit: Kit) -> None:
    """Read the mode from /proc/self/status."""
    mode = kit.status("Seccomp")
    if not mode:
        kit.absent("run without a filter", "the kernel names no seccomp mode")
    elif mode == "0":
        kit.succeeded("run without a filter", "Seccomp: 0 (off)")
    else:
        filters = kit.status("Seccomp_filters") or "?"
        kit.stopped(
            "run without a filter", "seccomp", None, "mode " + MODES.get(mode, mode) + ", " + filters + " filters"
        )
