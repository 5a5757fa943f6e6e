"""What proves a flag of a run profile: the checks that saw it in force, and the attacks that it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model import ContainerCheckResult, Failed, Hardening, Passed, ProbeResult, Skipped
from report.deployments.comments import one_line

MOST = 200
"""Signs of one piece of evidence; the whole of it is in the run's folder."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The ids of the checks and probes that can prove one flag."""

    checks: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()


EVIDENCE: Mapping[str, Evidence] = {
    "read_only": Evidence(checks=("CIS-5.13",), probes=("write-filesystem",)),
    "tmpfs": Evidence(probes=("execute-written", "fill-disk")),
    "cap_drop": Evidence(checks=("CIS-5.4",), probes=("capabilities", "chown", "mknod")),
    "no_new_privileges": Evidence(checks=("CIS-5.26",), probes=("no-new-privileges", "become-root")),
    "seccomp": Evidence(checks=("CIS-5.22",), probes=("seccomp-mode",)),
    "user": Evidence(probes=("become-root",)),
    "pids_limit": Evidence(checks=("CIS-5.29",), probes=("fork-until-stopped",)),
    "memory_bytes": Evidence(checks=("CIS-5.11",), probes=("allocate-until-stopped",)),
    "cpus": Evidence(checks=("CIS-5.12",), probes=("burn-cpu",)),
    "ulimits": Evidence(checks=("CIS-5.19",), probes=("exhaust-descriptors",)),
    "restart": Evidence(checks=("CIS-5.15",)),
    "sysctls": Evidence(probes=("bind-low-port",)),
    "network": Evidence(checks=("CIS-5.10", "CIS-5.30"), probes=("reach-neighbour", "reach-host-loopback")),
    "healthcheck": Evidence(checks=("CIS-5.27",)),
}
"""Field of a run profile -> what can prove it."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What a run says of one flag.

    Args:
        holds: whether something proved it, and nothing contradicts it.
        words: the evidence in a sentence, with the ids of checks and probes.

    """

    holds: bool
    words: str


def proof(flag: str, found: Hardening) -> Proof:
    """Return whether a run proved one flag of its run profile, and by what."""
    wanted = _evidence(flag, found)
    passed, failed, unseen = [], [], []
    results: dict[str, ContainerCheckResult | ProbeResult] = {one.id: one for one in found.container_checks}
    results |= {one.id: one for one in found.probes}
    for kind, ids in (("check", wanted.checks), ("probe", wanted.probes)):
        for name in ids:
            result = results.get(name)
            if result is None:
                unseen.append(f"{kind} {name} was not run")
            elif isinstance(result.outcome, Passed):
                passed.append(f"{kind} {name}{_stopped_by(result)}")
            elif isinstance(result.outcome, Failed):
                failed.append(f"{kind} {name} failed: {one_line('; '.join(result.outcome.evidence), MOST)}")
            elif isinstance(result.outcome, Skipped):
                unseen.append(f"{kind} {name} could not tell: {one_line(result.outcome.reason, MOST)}")
    parts = []
    if failed:
        parts.append(f"Not proved: {'; '.join(failed)}.")
    elif passed:
        parts.append(f"Proved by {', '.join(passed)}.")
    else:
        parts.append("Not proved.")
    if unseen:
        parts.append(f"Not looked at: {'; '.join(unseen)}.")
    return Proof(holds=bool(passed) and not failed, words=" ".join(parts))


def _evidence(flag: str, found: Hardening) -> Evidence:
    """Return what can prove a flag.

    Where capabilities were added, a look at all of them cannot tell whether the others are gone; attacks that need
    another one can.
    """
    wanted, added = EVIDENCE[flag], found.profile.cap_add if found.profile else ()
    if flag != "cap_drop" or not added:
        return wanted
    return Evidence(probes=tuple(one for one in wanted.probes if one != "capabilities" and one.upper() not in added))


def _stopped_by(result: ContainerCheckResult | ProbeResult) -> str:
    if isinstance(result, ProbeResult) and result.stopped_by:
        return f" (stopped by {', '.join(result.stopped_by)})"
    return ""
