"""Hash-locked wheels for a Python that is not this one: downloaded once, cached, verified again on each use."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from harness.errors import BuildFailed, ToolFailed, UsageError
from harness.locks import waiting_lock
from harness.model import Say
from harness.paths import cache_dir
from harness.process import call

DOWNLOAD_TIMEOUT_S = 900.0
READ_BYTES = 1 << 20
LEGACY_GLIBC = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
"""glibc's minor version -> the older name of the same platform tag (PEP 600)."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The interpreter that the wheels are for.

    Args:
        python: major and minor version, as `3.13`.
        libc: whose wheels run there.
        libc_minor: newest that it runs: 41 is glibc 2.41, 2 is musl 1.2.
        machine: as `uname -m` says.

    """

    python: str
    libc: Literal["glibc", "musl"]
    libc_minor: int
    machine: str = "x86_64"

    @property
    def platforms(self) -> list[str]:
        """Platform tags that it runs, best first (PEP 600 and PEP 656)."""
        if self.libc == "musl":
            return [f"musllinux_1_{minor}_{self.machine}" for minor in range(self.libc_minor, -1, -1)]
        tags = []
        for minor in range(self.libc_minor, 4, -1):
            tags.append(f"manylinux_2_{minor}_{self.machine}")
            if minor in LEGACY_GLIBC:
                tags.append(f"{LEGACY_GLIBC[minor]}_{self.machine}")
        return tags

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which its requirements' markers are judged (PEP 508)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
            "extra": "",
        }


@dataclass(frozen=True, kw_only=True)
class LockedRequirement:
    """One line of a lock: an exact version and the SHA-256 of every file that may be it."""

    name: str
    version: str
    marker: str
    sha256: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Wheelhouse:
    """A folder of verified wheels and nothing else; read-only to all who use it."""

    folder: Path
    files: tuple[Path, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all its wheels."""
        return sum(path.stat().st_size for path in self.files)


def parse_lock(text: str) -> list[LockedRequirement]:
    """Read a requirements file in which every line is `name==version`, perhaps a marker, and hashes.

    Raises:
        UsageError: a line is anything else: unpinned, without a SHA-256, a URL, an option.

    """
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        words = line.split(" #")[0].strip()
        if not words or words.startswith("#"):
            continue
        requirement, *options = words.split("--hash=")
        pin, _, marker = requirement.partition(";")
        name, equals, version = (part.strip() for part in pin.partition("=="))
        hashes = frozenset(o.strip().removeprefix("sha256:") for o in options if o.startswith("sha256:"))
        if not (name and equals and version and hashes) or name.startswith("-") or "@" in name:
            raise UsageError(
                f"This line of a lock is not an exact version with SHA-256 hashes: {words[:80]!r}.",
                "Make the lock with `uv pip compile --generate-hashes` or `pip-compile --generate-hashes`.",
            )
        found.append(
            LockedRequirement(
                name=canonicalize_name(name.split("[")[0]), version=version, marker=marker.strip(), sha256=hashes
            )
        )
    return found


def applying(lock: Sequence[LockedRequirement], target: Target) -> list[LockedRequirement]:
    """Return the requirements whose markers hold for the target, whatever Python runs this.

    Raises:
        UsageError: a marker cannot be read.

    """
    try:
        return [one for one in lock if not one.marker or Marker(one.marker).evaluate(dict(target.environment))]
    except InvalidMarker as error:
        raise UsageError(f"A marker in a lock cannot be read: {error}") from error


def fetch(lock: Path, target: Target, *, say: Say, cancel: threading.Event | None = None) -> Wheelhouse:
    """Return the wheels of a lock for a target, from the cache or by pip from the index that this machine uses.

    Args:
        lock: a requirements file with hashes.
        target: the Python that the wheels are for.
        say: told in one line when something is downloaded.
        cancel: for calls from worker threads: once set, the download is stopped.

    Raises:
        UsageError: the lock cannot be read, or is not one.
        BuildFailed: a wheel cannot be had, or is not the locked one.

    """
    try:
        text = lock.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The lock {lock} cannot be read: {error}") from error
    wanted = applying(parse_lock(text), target)
    key = hashlib.sha256(repr((sorted(map(_line, wanted)), target)).encode()).hexdigest()[:16]
    folder = cache_dir() / "wheels" / f"{lock.stem}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with waiting_lock(folder.with_name(f".{folder.name}.lock")):
        if folder.is_dir():
            with_trouble = _trouble(folder, wanted)
            if not with_trouble:
                return _wheelhouse(folder)
            say(f"Wheels in the cache are not the locked ones ({with_trouble}): downloading them again")
            shutil.rmtree(folder)
        _download(lock.name, wanted, target, folder, say=say, cancel=cancel)
    return _wheelhouse(folder)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _line(one: LockedRequirement) -> str:
    return f"{one.name}=={one.version} " + " ".join(f"--hash=sha256:{each}" for each in sorted(one.sha256))


def _wheelhouse(folder: Path) -> Wheelhouse:
    return Wheelhouse(folder=folder, files=tuple(sorted(folder.glob("*.whl"))))


def _trouble(folder: Path, wanted: Sequence[LockedRequirement]) -> str:
    """Say what is wrong with a folder of wheels; empty where each requirement has its one file and nothing is over."""
    there = {sha256_of(path): path.name for path in folder.iterdir()}
    for one in wanted:
        files = [there.pop(digest) for digest in one.sha256 & there.keys()]
        if len(files) != 1 or not files[0].endswith(".whl"):
            return f"{one.name} has {len(files)} files that are locked"
    return f"{', '.join(sorted(there.values()))} is not locked" if there else ""


def _download(
    name: str,
    wanted: Sequence[LockedRequirement],
    target: Target,
    folder: Path,
    *,
    say: Say,
    cancel: threading.Event | None,
) -> None:
    say(f"Downloading {len(wanted)} wheels of {name} for Python {target.python} ({target.libc}, {target.machine})")
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        requirements = temporary / "requirements.txt"
        requirements.write_text("".join(f"{_line(one)}\n" for one in wanted), "utf-8")
        wheels = temporary / "wheels"
        wheels.mkdir()
        platforms = [word for tag in target.platforms for word in ("--platform", tag)]
        if wanted:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
            command += ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--implementation", "cp"]
            command += ["--python-version", target.python, *platforms]
            call([*command, "--dest", wheels, "-r", requirements], timeout_s=DOWNLOAD_TIMEOUT_S, cancel=cancel)
        if trouble := _trouble(wheels, wanted):
            raise BuildFailed(f"The wheels that pip downloaded for {name} are not the locked ones: {trouble}.")
        wheels.rename(folder)
    except ToolFailed as error:
        raise BuildFailed(
            f"The wheels of {name} for Python {target.python} cannot be had.\n{error.message}",
            "Check that pip reaches a package index from here (`pip config list`, proxy variables).",
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
