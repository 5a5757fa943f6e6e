"""Writing a program and running it, in every place that can be written to."""

from __future__ import annotations

import errno
import os

from harness.model import Severity
from security.inside.kit import Kit
from security.inside.syscalls import program
from security.probe import Group, Probe

PROBE = Probe(
    id="execute-written",
    title="A program that was written in /tmp, /dev/shm or elsewhere cannot be run",
    severity=Severity.HIGH,
    group=Group.FILES,
    rationale="An attacker's first step after getting in is to bring a program along and to start it.",
    remediation="Mount what must be writable as tmpfs with noexec, and make the root read-only.",
)
EXIT_CODE = 0
NOT_RUN = 111


def attack(kit: Kit) -> None:
    """Write a tiny program to each writable place and execute it; say too what no mount option can stop."""
    places = kit.writable_places()
    for place in ("/tmp", "/dev/shm"):
        if place not in places:
            kit.stopped("write a program to " + place, "no permission to write there, or it is not there")
    for place in places:
        _write_and_run(kit, place)
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("probe", 0)
        os.write(file, _payload())
        if _run("/proc/self/fd/" + str(file)) == EXIT_CODE:
            kit.note(
                "An anonymous file (memfd_create) can be executed: noexec does not concern it, and nothing is left."
            )


def _write_and_run(kit: Kit, place: str) -> None:
    name = os.path.join(place, ".seatrial-" + kit.facts["nonce"])
    what = "write a program to " + place + " and run it"
    try:
        file = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o700)
    except OSError as error:
        kit.refused(what, error.errno)
        return
    try:
        os.write(file, _payload())
        os.close(file)
        code = _run(name)
    finally:
        os.unlink(name)
    if code == EXIT_CODE:
        kit.succeeded(what, "it ran")
    elif code == NOT_RUN:
        kit.stopped(what, "noexec mount", errno.EACCES, "written, not run")
    else:
        kit.absent(what, "the program ended with " + str(code))


def _payload() -> bytes:
    if os.uname().machine == "x86_64":
        # sched_yield, which does nothing and gives 0.
        return program(24, ())
    with open("/proc/self/exe", "rb") as file:
        return file.read()


def _run(name: str) -> int:
    child = os.fork()
    if child == 0:
        code = NOT_RUN
        try:
            os.execve(name, [name, "-c", "0"], {})
        except OSError as error:
            code = NOT_RUN if error.errno == errno.EACCES else 112
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
