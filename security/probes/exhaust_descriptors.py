"""Opening files until something stops it; counted, and never more than the harness allows."""

from __future__ import annotations

import errno
import os
import resource

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="exhaust-descriptors",
    title="The number of open files is limited",
    severity=Severity.LOW,
    group=Group.RESOURCES,
    rationale="The table of open files belongs to the whole machine.",
    remediation="Start with --ulimit nofile=1024:1024, or what the app needs.",
    seconds=20,
)


def attack(kit: Kit) -> None:
    """Raise the soft limit as far as it goes, then open /dev/null again and again."""
    most = kit.facts["ceilings"]["descriptors"]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    opened: list[int] = []
    stopped = None
    while len(opened) < most:
        try:
            opened.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            stopped = error.errno
            break
    for file in opened:
        os.close(file)
    kit.progress("descriptors", len(opened))
    what = "open " + str(most) + " files"
    limits = "soft limit " + str(soft) + ", hard limit " + str(hard)
    if stopped is None:
        kit.succeeded(what, str(len(opened)) + " at once, and nothing stopped it; " + limits)
    elif stopped == errno.EMFILE:
        kit.stopped(what, "ulimit nofile", stopped, "stopped after " + str(len(opened)) + "; " + limits)
    else:
        kit.absent(what, "stopped after " + str(len(opened)) + " by something else", stopped)
