"""Allocating memory until something stops it; counted, and never more than the harness allows."""

from __future__ import annotations

import os
import signal

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="allocate-until-stopped",
    title="Memory is limited",
    severity=Severity.HIGH,
    group=Group.RESOURCES,
    rationale="Without a limit one container makes the kernel kill processes of others.",
    remediation="Start with --memory, and --memory-swap of the same size.",
    seconds=20,
)
STEP = 4 << 20


def attack(kit: Kit) -> None:
    """Fill memory in a process that the kernel is told to kill first; count what it got from outside of it."""
    most = kit.facts["ceilings"]["memory_bytes"]
    what = "allocate " + str(most >> 20) + " MiB"
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        held = []
        try:
            for _ in range(most // STEP):
                # Each page is written to, since the kernel gives none before.
                held.append(b"\xa5" * STEP)
                os.write(writer, b".")
        except MemoryError:
            os._exit(1)
        finally:
            os._exit(0)
    os.close(writer)
    got = 0
    while True:
        part = os.read(reader, 4096)
        if not part:
            break
        got += len(part) * STEP
    _, status = os.waitpid(child, 0)
    kit.progress("bytes", got)
    evidence = str(got >> 20) + " MiB"
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        kit.stopped(what, "memory limit", None, "killed by the kernel after " + evidence)
    elif got >= most // STEP * STEP:
        kit.succeeded(what, evidence + " held, and nothing stopped it")
    else:
        kit.absent(what, "ended after " + evidence + " by itself, status " + str(status))
