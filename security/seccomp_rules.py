"""Seccomp profiles as data: what Docker's own allows, and how one is made that allows named calls and no others."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from harness.errors import ToolMissing
from harness.model import RunProfile

DATA = Path(__file__).resolve().parent / "seccomp_data"
TEMPLATE = "hardened.seccomp.json"
ARCHITECTURES = {"x86_64": ("amd64", "SCMP_ARCH_X86_64"), "aarch64": ("arm64", "SCMP_ARCH_AARCH64")}
"""Machine as `uname -m` says -> its names in Docker's conditions and in a profile."""
ENOSYS = 38
ASKED_ANEW = "clone3"
"""Its flags lie in memory, where no filter can see them: refused with ENOSYS, after which a C library takes clone."""
DOCKERS_CAPABILITIES = frozenset(
    {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"}
    | {"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
)
"""What Docker leaves a container: moby's oci/caps/defaults.go."""


def numbers(architecture: str) -> dict[int, str]:
    """Return an architecture's system calls: number -> name.

    Raises:
        ToolMissing: there is no table of it.

    """
    path = DATA / f"{architecture}.txt"
    if architecture not in ARCHITECTURES or not path.is_file():
        raise ToolMissing(
            f"The system calls of {architecture} are not known here.", f"Known are: {', '.join(sorted(ARCHITECTURES))}."
        )
    pairs = (line.split() for line in path.read_text("ascii").splitlines() if line and not line.startswith("#"))
    return {int(number): name for name, number in pairs}


@cache
def dockers() -> dict[str, Any]:
    """Return Docker's default profile as it was taken: `source`, which names its version, and `syscalls`."""
    return dict(json.loads((DATA / "docker-default.json").read_text("utf-8")))


def capabilities(profile: RunProfile) -> frozenset[str]:
    """Return the capabilities that a container has under a run profile."""
    kept = frozenset() if "ALL" in profile.cap_drop else DOCKERS_CAPABILITIES - set(profile.cap_drop)
    return kept | set(profile.cap_add)


def allowed_by_default(architecture: str, held: Collection[str]) -> frozenset[str]:
    """Return the calls of one architecture that Docker's default profile allows, some under conditions on arguments.

    Args:
        architecture: as `uname -m` says.
        held: the container's capabilities, without `CAP_`.

    Raises:
        ToolMissing: there is no table of that architecture.

    """
    there = set(numbers(architecture).values())
    arch, caps = ARCHITECTURES[architecture][0], {f"CAP_{name}" for name in held}
    found: set[str] = set()
    for rule in dockers()["syscalls"]:
        wants, bars = rule.get("includes", {}), rule.get("excludes", {})
        applies = (
            (not wants.get("arches") or arch in wants["arches"])
            and (not wants.get("caps") or caps >= set(wants["caps"]) or "CAP_ALL" in caps)
            and arch not in bars.get("arches", ())
            and not caps & set(bars.get("caps", ()))
        )
        # `minKernel` asks for 4.8, which is older than every kernel that the tables are of.
        if applies and rule["action"] == "SCMP_ACT_ALLOW":
            found |= set(rule["names"])
    return frozenset(found & there)


def profile(architecture: str, names: Collection[str], template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a profile that allows the named calls and no others; EPERM for those, ENOSYS for clone3.

    Conditions on arguments are the template's: what it allows under a condition is allowed under no other.

    Args:
        architecture: the only one that it holds for: calls of another are all refused.
        names: what it allows.
        template: a profile whose groups, comments and conditions are taken.

    """
    wanted, rules = set(names) - {ASKED_ANEW}, []
    known: set[str] = set()
    for rule in template["syscalls"]:
        if rule["action"] == "SCMP_ACT_ALLOW":
            known |= set(rule["names"])
            if kept := [name for name in rule["names"] if name in wanted]:
                rules.append({**rule, "names": kept})
    if others := sorted(wanted - known):
        rules.append({"action": "SCMP_ACT_ALLOW", "comment": "Others", "names": others})
    rules.append(
        {
            "action": "SCMP_ACT_ERRNO",
            "errnoRet": ENOSYS,
            "comment": "ENOSYS: its flags cannot be seen, and the C library then takes clone",
            "names": [ASKED_ANEW],
        }
    )
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "archMap": [{"architecture": ARCHITECTURES[architecture][1], "subArchitectures": []}],
        "syscalls": rules,
    }
