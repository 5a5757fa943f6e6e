"""Forking until something stops it; counted, and never more than the harness allows."""

from __future__ import annotations

import os

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="fork-until-stopped",
    title="The number of processes is limited",
    severity=Severity.HIGH,
    group=Group.RESOURCES,
    rationale="A fork bomb in one container without a limit takes every process slot of the machine.",
    remediation="Start with --pids-limit.",
    seconds=20,
)


def attack(kit: Kit) -> None:
    """Fork children that wait; the pipe's end lets all of them go at once."""
    most = kit.facts["ceilings"]["processes"]
    reader, writer = os.pipe()
    children: list[int] = []
    stopped = None
    try:
        while len(children) < most:
            try:
                child = os.fork()
            except OSError as error:
                stopped = error.errno
                break
            if child == 0:
                os.close(writer)
                os.read(reader, 1)
                os._exit(0)
            children.append(child)
        kit.progress("processes", len(children))
    finally:
        os.close(writer)
        for child in children:
            os.waitpid(child, 0)
    what = "fork " + str(most) + " times"
    if stopped is None:
        kit.succeeded(what, str(len(children)) + " processes at once, and nothing stopped it")
    else:
        kit.stopped(what, "pids limit", stopped, "stopped after " + str(len(children)))
