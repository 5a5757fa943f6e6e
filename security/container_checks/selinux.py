"""SELinux options are set."""

from __future__ import annotations

from harness.model import Outcome, Severity, Skipped
from security.check import Check, failed_or_passed
from security.running_container import EngineFacts, RunningContainer

SELINUX = EngineFacts(security_options=("name=selinux",))
CHECK = Check(
    id="CIS-5.3",
    title="SELinux options are set",
    severity=Severity.MEDIUM,
    rationale="The label keeps a container's processes from the machine's files.",
    remediation="Start the engine with --selinux-enabled, and do not pass --security-opt label=disable.",
    good=[RunningContainer(engine=SELINUX, process_label="system_u:system_r:container_t:s0:c1,c2")],
    bad=[
        RunningContainer(engine=SELINUX),
        RunningContainer(engine=SELINUX, process_label="x:y:spc_t:s0", security_opt=("label=disable",)),
        RunningContainer(engine=SELINUX, process_label="system_u:system_r:spc_t:s0"),
        RunningContainer(engine=SELINUX, security_opt=("seccomp=unconfined",)),
    ],
    unclear=[RunningContainer()],
)


def test(container: RunningContainer) -> Outcome:
    """Read the label that the process has; another security option is no answer."""
    if not any(option.split(",")[0] == "name=selinux" for option in container.engine.security_options):
        return Skipped(
            reason="The engine offers no SELinux: its machine's kernel has none, or the engine does not use it."
        )
    evidence = []
    if container.security_option("label") == "disable":
        evidence.append("SecurityOpt: label=disable")
    if not container.process_label or ":spc_t:" in container.process_label:
        evidence.append(f"ProcessLabel: {container.process_label or 'none'}")
    return failed_or_passed(evidence)
