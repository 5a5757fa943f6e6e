"""System calls for which Python has no function: through ctypes, or, where an image lacks libffi, as a tiny program."""

from __future__ import annotations

import errno
import os
import platform
import re
import signal
import struct
from collections.abc import Sequence

from security.inside.kit import Kit, errno_name

NUMBERS = {
    "x86_64": {
        "ptrace": 101, "syslog": 103, "pivot_root": 155, "mount": 165, "kexec_load": 246, "keyctl": 250,
        "unshare": 272, "perf_event_open": 298, "setns": 308, "bpf": 321, "userfaultfd": 323,
    },
    "aarch64": {
        "mount": 40, "pivot_root": 41, "unshare": 97, "kexec_load": 104, "syslog": 116, "ptrace": 117,
        "keyctl": 219, "perf_event_open": 241, "setns": 268, "bpf": 280, "userfaultfd": 282,
    },
}  # fmt: skip
BASE = 0x400000
KALLSYMS = "/proc/kallsyms"


class NoWay(Exception):
    """The image offers no way to make the call."""


def attempt_call(
    kit: Kit,
    what: str,
    name: str,
    args: Sequence[int | bytes],
    permitted: Sequence[int] = (),
    capability: str | None = None,
    control: tuple[Sequence[int | bytes], Sequence[int]] | None = None,
) -> None:
    """Make one system call in a process of its own, and record what its answer says about permission.

    Args:
        kit: the record.
        what: what is tried, for the reader.
        name: the system call.
        args: its arguments; bytes become a pointer to them.
        permitted: errnos that come only after the permission check; success counts as permitted too.
        capability: what the kernel asks for, without CAP_.
        control: arguments that the kernel itself answers with one of the given errnos before any permission check:
            where they are answered otherwise, a seccomp filter answered.

    """
    try:
        number = _result(name, args)
        unfiltered = control is not None and _result(name, control[0]) in control[1]
    except NoWay as error:
        kit.absent(what, str(error))
        return
    if number == 0 or number in permitted:
        kit.succeeded(what, "permitted" + (": the kernel got past its permission check" if number else ""), number)
    elif number == -signal.SIGSYS:
        kit.stopped(what, "seccomp: the filter killed the caller", None, "SIGSYS")
    elif number == errno.ENOSYS:
        _no_such_call(kit, what, name)
    elif number in (errno.EPERM, errno.EACCES) and kernel_has(name) is False:
        kit.absent(what, "the kernel lacks the call; a seccomp filter answered in its place", number)
    elif number in (errno.EPERM, errno.EACCES):
        kit.stopped(what, _stopper(kit, number, capability, control is not None, unfiltered), number)
    else:
        kit.absent(what, "an answer that tells nothing about permission", number)


def _stopper(kit: Kit, number: int, capability: str | None, controlled: bool, unfiltered: bool) -> str:
    if not kit.filtered() or unfiltered:
        return kit.defence(number, capability)
    missing = capability is not None and not kit.has(capability)
    if controlled or not missing:
        return "seccomp profile" + (" (CAP_" + str(capability) + " is not held either)" if missing else "")
    return "seccomp profile, or CAP_" + str(capability) + " not held: which answered first cannot be seen"


def _no_such_call(kit: Kit, what: str, name: str) -> None:
    there = kernel_has(name)
    if there and kit.filtered():
        kit.stopped(what, "seccomp profile (it answers ENOSYS; the kernel has the call)", errno.ENOSYS)
    elif kit.filtered() and there is None:
        kit.absent(
            what, "the kernel lacks the call, or a seccomp filter says so: they cannot be told apart", errno.ENOSYS
        )
    else:
        kit.absent(what, "the kernel lacks the call", errno.ENOSYS)


def kernel_has(name: str) -> bool | None:
    """Whether the kernel implements a call, by its symbol table: a call left out is a weak symbol. None: unknown."""
    try:
        with open(KALLSYMS, "rb") as file:
            table = file.read()
    except OSError:
        return None
    kinds = re.findall(rb" (\w) __[a-z0-9]+_sys_" + name.encode() + rb"\b", table)
    return any(kind in b"Tt" for kind in kinds) if kinds else None


def _result(name: str, args: Sequence[int | bytes]) -> int:
    """Return 0 or the errno that a call gives in a child of this process; a negative number is a signal's."""
    machine = platform.machine()
    number = NUMBERS.get(machine, {}).get(name)
    if number is None:
        raise NoWay("the number of " + name + " on " + machine + " is not known here")
    try:
        import ctypes
    except ImportError:
        return _by_program(number, args, machine)
    child = os.fork()
    if child == 0:
        code = 255
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            words = [ctypes.create_string_buffer(a, len(a)) if isinstance(a, bytes) else ctypes.c_long(a) for a in args]
            code = ctypes.get_errno() if libc.syscall(ctypes.c_long(number), *words) == -1 else 0
        finally:
            os._exit(code)
    return _exit_of(child)


def _by_program(number: int, args: Sequence[int | bytes], machine: str) -> int:
    """Make the call from an anonymous file that is executed: no mount option concerns it, and nothing is written."""
    if machine != "x86_64" or not hasattr(os, "memfd_create"):
        raise NoWay("this Python has no ctypes, and there is no other way on " + machine)
    try:
        file = os.memfd_create("probe", 0)
        os.write(file, program(number, args))
    except OSError as error:
        raise NoWay("this Python has no ctypes, and memfd_create gave " + str(errno_name(error.errno))) from error
    child = os.fork()
    if child == 0:
        try:
            os.execve("/proc/self/fd/" + str(file), ["probe"], {})
        finally:
            os._exit(255)
    os.close(file)
    code = _exit_of(child)
    if code == 255:
        raise NoWay("this Python has no ctypes, and an anonymous file could not be executed")
    return code


def _exit_of(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def program(number: int, args: Sequence[int | bytes]) -> bytes:
    """Return an ELF executable for x86-64 that makes one system call and exits with its errno, or 0."""
    registers = (b"\x48\xbf", b"\x48\xbe", b"\x48\xba", b"\x49\xba", b"\x49\xb8", b"\x49\xb9")
    head = 64 + 56
    length = 10 + 10 * len(args) + 2 + 3 + 2 + 2 + 2 + 2 + 2 + 5 + 2
    data, code = b"", b"\x48\xb8" + struct.pack("<Q", number)
    for register, value in zip(registers, args):  # noqa: B905 - Python 3.7 has no `strict`
        if isinstance(value, bytes):
            place = BASE + head + length + len(data)
            data += value
            value = place
        code += register + struct.pack("<Q", value & 0xFFFFFFFFFFFFFFFF)
    code += b"\x0f\x05"  # syscall
    code += b"\x48\x85\xc0" + b"\x79\x06"  # test rax, rax; jns over the next three
    code += b"\xf7\xd8" + b"\x89\xc7" + b"\xeb\x02"  # neg eax; mov edi, eax; jmp over the next
    code += b"\x31\xff" + b"\xb8\x3c\x00\x00\x00" + b"\x0f\x05"  # xor edi, edi; exit(edi)
    size = head + len(code) + len(data)
    elf = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, BASE + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 7, 0, BASE, BASE, size, size, 0x1000)
    return elf + segment + code + data
