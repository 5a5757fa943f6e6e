"""What an attack is handed inside the container: a record of what it tried, and the bounds that it runs within."""

from __future__ import annotations

import errno
import json
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

MARKER = "seatrial-probe:"
"""Begins the one line of output that counts; whatever else the container prints is not read as a result."""
STATUS = "/proc/self/status"


class Kit:
    """One attack's record. Every attempt is written out at once, so that it survives the attack's own end."""

    def __init__(self, facts: dict[str, Any], sink: int) -> None:
        self.facts = facts
        """What the host says: addresses, ports, ceilings."""
        self._sink = sink

    def stopped(self, what: str, by: str, number: int | None = None, detail: str = "") -> None:
        """Record an attempt that a defence stopped; `by` names the defence."""
        self._write(what=what, result="stopped", stopped_by=by, errno=errno_name(number), evidence=detail)

    def succeeded(self, what: str, detail: str = "", number: int | None = None) -> None:
        """Record an attempt that nothing stopped."""
        self._write(what=what, result="succeeded", stopped_by=None, errno=errno_name(number), evidence=detail)

    def absent(self, what: str, why: str, number: int | None = None) -> None:
        """Record an attempt that could not be made here, or whose answer tells nothing. It never counts as stopped."""
        self._write(what=what, result="not tried", stopped_by=None, errno=errno_name(number), evidence=why)

    def note(self, text: str) -> None:
        """Record what a reader should know, without a judgement."""
        self._write(note=text)

    def progress(self, name: str, value: float) -> None:
        """Record how far a count got; the last value stays, also where the attack is killed."""
        self._write(progress=[name, value])

    def _write(self, **entry: Any) -> None:
        os.write(self._sink, (json.dumps(entry) + "\n").encode())

    def refused(self, what: str, number: int | None, detail: str = "", capability: str | None = None) -> None:
        """Record the answer to a file operation: which defence an errno stands for."""
        if number == errno.EROFS:
            self.stopped(what, "read-only file system", number, detail)
        elif number in (errno.EACCES, errno.EPERM):
            self.stopped(what, self.defence(number, capability), number, detail)
        elif number in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR):
            self.absent(what, detail or "it is not there", number)
        else:
            self.absent(what, detail or "an answer that tells nothing about permission", number)

    def defence(self, number: int | None, capability: str | None = None) -> str:
        """Name the defence behind EPERM or EACCES of a file operation."""
        if capability and not self.has(capability):
            return "CAP_" + capability + " is not held"
        if number == errno.EACCES and os.geteuid() != 0:
            return "file permissions: uid " + str(os.geteuid()) + " is not root"
        if self.label():
            return "security module: " + self.label()
        return "kernel permission check" if number == errno.EPERM else "file permissions"

    def status(self, name: str) -> str:
        """Return one line's value of /proc/self/status, or an empty string."""
        with open(STATUS) as lines:
            for line in lines:
                if line.startswith(name + ":"):
                    return line.split(":", 1)[1].strip()
        return ""

    def has(self, capability: str) -> bool:
        """Whether the process holds a capability, named without CAP_."""
        return bool(int(self.status("CapEff"), 16) >> CAPABILITIES.index(capability) & 1)

    def filtered(self) -> bool:
        """Whether a seccomp filter stands before the kernel."""
        return self.status("Seccomp") == "2"

    def label(self) -> str:
        """Return the confining label that a security module gave the process, or an empty string."""
        try:
            with open("/proc/self/attr/current") as file:
                label = file.read().strip("\0\n ")
        except OSError:
            return ""
        return "" if label in ("", "unconfined", "kernel") else label

    def is_local(self, address: str) -> bool:
        """Whether an address is one of this network namespace's own; nothing is sent."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            try:
                one.bind((address, 0))
            except OSError:
                return False
            return True

    def route(self, address: str) -> int:
        """Return 0 where the namespace has a route to an address, else the errno; nothing is sent."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            return one.connect_ex((address, 9))

    def knock(self, what: str, address: str, port: int, nonce: str, by: str) -> None:
        """Make one connection, and count it as a success where the listener answers with the expected nonce."""
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.settimeout(1.5)
        with one:
            try:
                number = one.connect_ex((address, port))
                answer = one.recv(256).decode("ascii", "replace") if number == 0 else ""
            except OSError as error:
                number, answer = error.errno or errno.ETIMEDOUT, ""
        if number == 0 and nonce in answer:
            self.succeeded(what, "read back the listener's word: " + str(len(answer)) + " bytes")
        elif number == 0:
            self.absent(what, "something else answered there")
        else:
            # EAGAIN is what a connection that timed out inside connect_ex gives.
            self.stopped(what, by, errno.ETIMEDOUT if number == errno.EAGAIN else number)

    def write_back(self, path: str, capability: str | None = None) -> None:
        """Write a setting's own value back to it; `capability` is what the kernel asks for beside the file's mode."""
        what = "write to " + path
        try:
            with open(path, "rb", buffering=0) as file:
                value = file.read(256)
            file = open(path, "wb", buffering=0)  # noqa: SIM115 - closed below
        except OSError as error:
            self.refused(what, error.errno)
            return
        with file:
            try:
                self.succeeded(what, "wrote back the " + str(file.write(value)) + " bytes that were read")
            except OSError as error:
                self.refused(what, error.errno, capability=capability)

    def writable_places(self) -> list[str]:
        """Return the folders that this process may write to: the usual ones, and every mount point."""
        kinds = {}
        with open("/proc/self/mountinfo") as lines:
            for line in lines:
                words = line.split()
                kinds[words[4].replace("\\040", " ")] = words[words.index("-") + 1]
        usual = ["/", "/tmp", "/var/tmp", "/dev/shm", "/run", "/home", os.environ.get("HOME") or "/", os.getcwd()]
        pseudo = ("proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts", "bpf", "tracefs", "debugfs")
        mounts = [place for place, kind in kinds.items() if kind not in pseudo]
        found = []
        for place in usual + sorted(mounts):
            if place not in found and os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK):
                found.append(place)
        return found


def errno_name(number: int | None) -> str | None:
    """Return EPERM for 1, and None for None and 0."""
    return None if not number else errno.errorcode.get(number, str(number))


def run(attack: Callable[[Kit], None], facts: dict[str, Any]) -> None:
    """Run an attack in a child, within limits, and print what it recorded as one line of JSON."""
    reader, writer = os.pipe()
    seconds = facts["seconds"]
    # The last resort, where even the watch below should hang.
    signal.alarm(int(seconds) + 10)
    try:
        child = os.fork()
    except OSError as error:
        _print([], "could not start: fork gave " + str(errno_name(error.errno)), facts)
        return
    if child == 0:
        os.close(reader)
        _contained(attack, facts, writer)
    os.close(writer)
    entries, ended = _collect(reader, child, seconds)
    return _print(entries, ended, facts)


def _contained(attack: Callable[[Kit], None], facts: dict[str, Any], writer: int) -> None:
    kit = Kit(facts, writer)
    try:
        os.setsid()
        # An attack that is killed must not take the app with it.
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        for name, most in (
            (resource.RLIMIT_CPU, int(facts["seconds"]) + 2),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_AS, facts["address_bytes"]),
            (resource.RLIMIT_FSIZE, facts["file_bytes"]),
        ):
            _, hard = resource.getrlimit(name)
            limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(name, (limit, limit))
        attack(kit)
        kit._write(done=True)
    except BaseException:
        kit._write(crashed=traceback.format_exc()[-800:])
    finally:
        os._exit(0)


def _collect(reader: int, child: int, seconds: float) -> tuple[list[dict[str, Any]], str]:
    data = b""
    ended: str | None = None
    deadline = time.monotonic() + seconds
    while ended is None:
        ready, _, _ = select.select([reader], [], [], 0.02)
        if ready:
            data += os.read(reader, 1 << 16)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            ended = ("killed by signal " + str(os.WTERMSIG(status))) if os.WIFSIGNALED(status) else ""
        elif time.monotonic() > deadline:
            ended = "took longer than " + str(seconds) + " s and was killed"
    try:
        # The attack's whole session, so that no process of it stays behind.
        os.killpg(child, signal.SIGKILL)
    except OSError:
        pass
    try:
        os.waitpid(child, 0)
    except OSError:
        pass
    os.set_blocking(reader, False)
    try:
        while True:
            part = os.read(reader, 1 << 16)
            if not part:
                break
            data += part
    except OSError:
        pass
    lines = [line for line in data.decode("utf-8", "replace").split("\n") if line.endswith("}")]
    return [json.loads(line) for line in lines], ended


def _print(entries: list[dict[str, Any]], ended: str, facts: dict[str, Any]) -> None:
    sys.stdout.write("\n" + MARKER + facts["nonce"] + ":" + json.dumps({"entries": entries, "ended": ended}) + "\n")
    sys.stdout.flush()


CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip
"""By number, as include/uapi/linux/capability.h has them."""
