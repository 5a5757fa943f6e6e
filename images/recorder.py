"""strace for any container: Debian's own, with its loader and libraries, so that it needs nothing of the image."""

from __future__ import annotations

import hashlib
import io
import platform
import re
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from harness.engine.client import Engine, machine_name
from harness.errors import BuildFailed, ToolMissing
from harness.locks import waiting_lock
from harness.model import Recorder, Say
from harness.paths import cache_dir
from images.bases import apt_sources, catalogue, distroless
from images.bases.making import Making, machine_sources
from images.bases.rootfs import Rootfs, clean

LIKE = "gcr.io/distroless/python3-debian13:nonroot"
"""The base whose Debian suites it comes from."""
PACKAGES = ("strace", "libc6", "libunwind8", "liblzma5", "libgcc-s1")
LIBRARIES = re.compile(r"usr/lib/[^/]+/(libc|libunwind[^/]*|liblzma|libgcc_s)\.so\.\d+")
LOADER = re.compile(r"(usr/)?lib(64)?/([^/]+/)?ld-linux[^/]*\.so\.\d+")
VERSION = "version"
"""The file in the tar that tells which strace it is."""


def fetch(engine: Engine, *, say: Say) -> Recorder:
    """Return strace for the engine's machine, from the cache or from Debian's packages.

    Raises:
        ToolMissing: the engine is on another kind of machine than this, or there is no apt here.
        BuildFailed: the packages cannot be downloaded, or lack a file.

    """
    here, there = machine_name(platform.machine()), engine.machine
    if here != there:
        raise ToolMissing(
            f"strace for an engine on {there} cannot be had here ({here}).", "Run it on a machine like the engine's."
        )
    recipe = catalogue()[LIKE]
    key = hashlib.sha256("\n".join([there, *PACKAGES, *machine_sources(recipe)]).encode()).hexdigest()[:16]
    tar = cache_dir() / "recorders" / f"strace-{key}.tar"
    tar.parent.mkdir(parents=True, exist_ok=True)
    with waiting_lock(tar.with_suffix(".lock")):
        # The cache may be emptied or damaged by anyone at any time.
        with suppress(OSError, tarfile.TarError, KeyError, UnicodeDecodeError):
            return opened(tar.read_bytes())
        say("Downloading strace")
        data = _made(Making(recipe=recipe, machine=there, say=say))
        new = tar.with_suffix(".new")
        new.write_bytes(data)
        new.replace(tar)
    return opened(data)


def _made(making: Making) -> bytes:
    rootfs = Rootfs()
    sources = making.sources()
    with apt_sources.temporary_folder("recorder") as folder:
        for name, deb in distroless.download(PACKAGES, sources=sources, folder=Path(folder)).items():
            distroless.add_package(rootfs, name, deb)
    return kit(rootfs)


def kit(rootfs: Rootfs, program: str = "strace", libraries: re.Pattern[str] = LIBRARIES) -> bytes:
    """Return the tar of a flat folder with what a program needs, out of its packages laid over one another.

    Raises:
        BuildFailed: the program or the loader is not there.

    """
    found = Rootfs()
    for path in rootfs:
        if path == f"usr/bin/{program}":
            found.add_file(program, rootfs.read(path), mode=0o755)
        elif LOADER.fullmatch(path) and "ld" not in found:
            found.add_file("ld", _content(rootfs, path), mode=0o755)
        elif libraries.fullmatch(path):
            found.add_file(path.rpartition("/")[2], _content(rootfs, path), mode=0o755)
    if missing := [name for name in (program, "ld", "libc.so.6") if name not in found]:
        raise BuildFailed(f"Debian's packages of {program} lack {', '.join(missing)}.")
    found.add_file(VERSION, f"{program} {_version(rootfs, program)}".encode())
    return found.to_bytes()


def _content(rootfs: Rootfs, path: str) -> bytes:
    """Return a library's bytes; its links lead to a file in the same folder."""
    for _ in range(5):
        info = rootfs.info(path)
        if not info.issym():
            break
        path = clean(f"{path.rpartition('/')[0]}/{info.linkname.rpartition('/')[2]}")
    return rootfs.read(path)


def _version(rootfs: Rootfs, program: str) -> str:
    control = rootfs.read(f"{distroless.STATUS}/{program}").decode("utf-8", "replace")
    match = re.search(r"^Version: *(\S+)", control, re.MULTILINE)
    return match[1] if match else "of an unknown version"


def opened(data: bytes) -> Recorder:
    """Return the recorder in a tar that `kit` made.

    Raises:
        tarfile.TarError: it is no tar.
        KeyError: it lacks a file.

    """
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        names = {member.name for member in _files(archive)}
        stream = archive.extractfile(VERSION)
        if stream is None or not {"ld", "strace"} <= names:
            raise KeyError(VERSION)
        return Recorder(name=stream.read().decode(), tar=data)


def _files(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    return (member for member in archive if member.isreg())
