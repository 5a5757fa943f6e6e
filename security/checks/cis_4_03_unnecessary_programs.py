"""The final image must hold no programs that the app does not need and an intruder does."""

from __future__ import annotations

import posixpath
import re

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import Entry, FileSystem

KINDS = {
    "package manager": "apt apt-get aptitude dpkg apk yum dnf microdnf rpm zypper pacman "
    "pip easy_install uv pipx conda mamba npm gem",
    "shell": "sh bash dash ash zsh ksh csh tcsh fish busybox",
    "compiler or linker": "cc gcc c++ g++ clang tcc ld as go rustc cargo javac make",
    "way to become root": "sudo doas pkexec",
    "downloader or network tool": "curl wget ftp nc ncat netcat socat telnet ssh scp sshd rsync git",
    "debugger": "gdb strace ltrace",
}
_KIND_OF = {name: kind for kind, names in KINDS.items() for name in names.split()}
_VERSIONED = re.compile(r"^(?:[a-z0-9_]+-linux-(?:gnu|musl)[a-z]*-)?([a-z+]+?)-?[\d.]*$")
_PIP_MODULE = re.compile(r"/(?:site|dist)-packages/pip/__main__\.py$")


def _program(path: str) -> Entry:
    return Entry(path, mode=0o755)


CHECK = Check(
    id="CIS-4.3",
    title="Programs that the app does not need",
    severity=Severity.LOW,
    rationale="Shells, package managers and compilers are an intruder's tools; each must be patched too.",
    remediation="Copy the app into a base without them (distroless), or remove them in the layer that brings them.",
    good=[
        FileSystem.of(
            _program("usr/bin/python3.13"), _program("usr/lib/as/data"), Entry("bin", "symlink", target="usr/bin")
        ),
        FileSystem.of(Entry("usr/bin/sh", "symlink", target="/nowhere/dash")),
        FileSystem.of(Entry("usr/bin/curl", mode=0o644)),
    ],
    bad=[
        *(
            FileSystem.of(_program(f"usr/bin/{name}"))
            for name in ("dash", "apt-get", "gcc-14", "x86_64-linux-gnu-gcc-14", "pip3.13", "sudo")
        ),
        FileSystem.of(_program("bin/busybox"), Entry("bin/sh", "symlink", target="/bin/busybox")),
        FileSystem.of(_program("opt/venv/bin/pip")),
        FileSystem.of(Entry("usr/lib/python3/dist-packages/pip/__main__.py")),
        FileSystem.of(_program("bin/wget")),
    ],
)


def test(files: FileSystem) -> Outcome:
    """Fail for every program of the list in a `bin` or `sbin` folder that can be run, and for pip as a module."""
    return failed_or_passed([f"/{entry.path}: {kind}" for entry in files if (kind := _kind(entry, files)) is not None])


def _kind(entry: Entry, files: FileSystem) -> str | None:
    if _PIP_MODULE.search(entry.path):
        return "package manager, run as a module"
    folder, name = posixpath.split(entry.path)
    if posixpath.basename(folder) not in ("bin", "sbin"):
        return None
    kind = _KIND_OF.get(name) or ((match := _VERSIONED.match(name)) and _KIND_OF.get(match[1])) or None
    if kind is None:
        return None
    there = files.resolve(entry.path)
    return kind if there is not None and there.executable else None
