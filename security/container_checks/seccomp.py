"""A seccomp profile is in force."""

from __future__ import annotations

import json

from harness.model import Failed, Outcome, Passed, Severity, Skipped
from security.check import Check
from security.running_container import EngineFacts, RunningContainer

CHECK = Check(
    id="CIS-5.22",
    title="A seccomp profile is in force",
    severity=Severity.HIGH,
    rationale="Without one every system call of the kernel is within an attacker's reach.",
    remediation="Leave the engine's default seccomp profile on, or give a tighter one.",
    good=[
        RunningContainer(),
        RunningContainer(security_opt=("seccomp=" + json.dumps({"defaultAction": "SCMP_ACT_ERRNO"}),)),
    ],
    bad=[
        RunningContainer(security_opt=("seccomp=unconfined",)),
        RunningContainer(security_opt=("seccomp:unconfined",)),
        RunningContainer(privileged=True),
        RunningContainer(security_opt=("seccomp=" + json.dumps({"defaultAction": "SCMP_ACT_ALLOW"}),)),
        RunningContainer(engine=EngineFacts(security_options=("name=seccomp,profile=unconfined",))),
    ],
    unclear=[RunningContainer(engine=EngineFacts(security_options=()))],
)


def test(container: RunningContainer) -> Outcome:
    """Look at the option, at the engine's default, and into a profile that is given as JSON."""
    offered = next((o for o in container.engine.security_options if o.split(",")[0] == "name=seccomp"), None)
    if offered is None:
        return Skipped(reason="The engine offers no seccomp: its machine's kernel has none.")
    chosen = container.security_option("seccomp")
    if container.privileged:
        return Failed(evidence=("Privileged: no seccomp profile holds",))
    if chosen == "unconfined" or (chosen is None and "profile=unconfined" in offered):
        return Failed(evidence=(f"SecurityOpt: seccomp={chosen or 'the default of the engine, unconfined'}",))
    if chosen and _allows_all(chosen):
        return Failed(evidence=("SecurityOpt: the seccomp profile allows everything",))
    return Passed()


def _allows_all(profile: str) -> bool:
    """Whether a profile's JSON lets every call through: it allows by default, and denies nothing."""
    try:
        document = json.loads(profile)
        denied = [rule for rule in document.get("syscalls") or () if rule.get("action") != "SCMP_ACT_ALLOW"]
        return document.get("defaultAction") in ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG") and not denied
    except (ValueError, AttributeError):
        # A name or a path: what it holds cannot be seen from here.
        return False
