"""Becoming root: by being it already, by setuid(0), by a setuid program such as su or sudo."""

from __future__ import annotations

import os
import stat
import time

from harness.model import Severity
from security.inside.kit import Kit
from security.probe import Group, Probe

PROBE = Probe(
    id="become-root",
    title="The process is not root and cannot become it",
    severity=Severity.HIGH,
    group=Group.IDENTITY,
    rationale="Root in a container is one kernel fault away from root on the machine.",
    remediation="Run as a numeric user, remove setuid bits from the image, and start with no-new-privileges.",
    seconds=20,
)
FOLDERS = ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/lib", "/usr/libexec")
KNOWN = ("su", "sudo", "doas", "pkexec", "newgrp", "sg", "passwd", "gpasswd", "chsh", "chfn", "mount", "umount")
"""What does nothing by itself when it is started without arguments and without input; no other is started."""


def attack(kit: Kit) -> None:
    """Look at the user, call setuid(0), then start each setuid-root program and look at the user that it runs as."""
    if os.geteuid() == 0:
        with open("/proc/self/uid_map") as file:
            kit.succeeded("run as root", "uid 0 from the start; uid_map: " + " ".join(file.read().split()))
        return
    try:
        os.setuid(0)
    except OSError as error:
        kit.refused("setuid(0)", error.errno, capability="SETUID")
    else:
        kit.succeeded("setuid(0)", "uid is " + str(os.getuid()))
    found = sorted(_setuid_programs())
    if not found:
        kit.stopped("start su, sudo or another setuid-root program", "the image has no setuid-root program")
    for name in found:
        if os.path.basename(name) in KNOWN:
            _start(kit, name)
        else:
            kit.absent("start the setuid-root program " + name, "it is not known what it does when it is started")


def _setuid_programs() -> set[str]:
    found = set()
    for folder in FOLDERS:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            path = os.path.realpath(os.path.join(folder, name))
            try:
                how = os.stat(path)
            except OSError:
                continue
            if stat.S_ISREG(how.st_mode) and how.st_mode & stat.S_ISUID and how.st_uid == 0:
                found.add(path)
    return found


def _start(kit: Kit, path: str) -> None:
    """Start a program with nothing to do, read the user that the kernel gave it, and let it end."""
    what = "start the setuid-root program " + path
    reader, writer = os.pipe()
    seen, gave = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(reader, 0)
            null = os.open("/dev/null", os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            # `seen` closes at the moment of a successful exec, which is when the new user holds.
            os.execve(path, [path], {})
        except OSError as error:
            os.write(gave, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(gave)
    trouble = os.read(seen, 16)
    uid = _effective_uid(child) if not trouble else -1
    os.close(writer)
    os.close(reader)
    ended = time.monotonic() + 1.5
    while not os.waitpid(child, os.WNOHANG)[0] and time.monotonic() < ended:
        time.sleep(0.01)
    if trouble:
        kit.refused(what, int(trouble))
    elif uid == 0:
        kit.succeeded(what, "it runs with effective uid 0")
    elif uid > 0 and kit.status("NoNewPrivs") == "1":
        kit.stopped(what, "no-new-privileges", None, "it runs with effective uid " + str(uid))
    elif uid > 0:
        kit.stopped(what, "nosuid mount", None, "it runs with effective uid " + str(uid))
    else:
        kit.absent(what, "it ended before its user could be read")


def _effective_uid(pid: int) -> int:
    try:
        with open("/proc/" + str(pid) + "/status") as lines:
            for line in lines:
                if line.startswith("Uid:"):
                    return int(line.split()[2])
    except OSError:
        pass
    return -1
