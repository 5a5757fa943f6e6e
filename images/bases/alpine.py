"""The Alpine base: Alpine's own files off the disk image in one wheel, and a CPython for musl out of another.

The disk is read without mounting it. Every file is held against the hash that Alpine's own package database has of it,
so what the database of the made base says is true. Needs no root.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from harness.errors import BuildFailed
from images.bases import pure_wheels
from images.bases.recipes import BaseRecipe
from images.bases.rootfs import Rootfs, clean
from images.wheels import Wheelhouse

DATABASE = "lib/apk/db"
ACCOUNTS = ("etc/passwd", "etc/shadow", "etc/group")
"""Files in which the disk's maker has added users of his own, which are taken out again."""
WRITTEN_ANEW = {
    "etc/hostname": b"localhost\n",
    "etc/hosts": b"127.0.0.1\tlocalhost localhost.localdomain\n::1\t\tlocalhost localhost.localdomain\n",
    "etc/modules": b"af_packet\nipv6\n",
    "etc/mtab": b"../proc/mounts",
}
"""Files and a link that the disk's maker changed, as Alpine has them; the database's hashes hold these too."""
ROOT_LOCKED = (b"root:*:", b"root::")
"""Alpine's own images lock root, whose password the package leaves empty; so does the disk, and it stays locked."""
BUSYBOX_PATHS = "etc/busybox-paths.d/busybox"
PYTHON_LEFT_OUT = re.compile(
    r"lib/python3\.\d+/(site-packages/(?!README)|test/|idlelib/|tkinter/|turtledemo/|.*__pycache__)"
    r"|.*/(idle_)?tests?/|.*\.(pyc|a)$|bin/(?!pydoc|python)|licenses/|share/ca-certificates/"
)
"""What the public image leaves out too (tests, bytecode, static libraries), and what is the wheel's own."""
UNLOADABLE = re.compile(
    r"lib/python3\.\d+/lib-dynload/(_bz2|_ctypes|_curses_panel|_ctypes_test|_dbm|_gdbm|_sqlite3|_tkinter|readline)\."
)
"""Extension modules whose libraries the disk does not have."""


@dataclass(frozen=True, kw_only=True)
class ApkFile:
    """A file or folder of a package. Mode and owner are None where the database names none."""

    path: str
    folder: bool
    mode: int | None = None
    owner: tuple[int, int] | None = None
    sha1: bytes | None = None
    """Of a file's bytes, or of where a link leads."""


@dataclass(frozen=True, kw_only=True)
class ApkPackage:
    """One installed package of apk's database."""

    name: str
    version: str
    checksum: str
    """The database's `C:` line, by which scripts and triggers name the package."""
    stanza: str
    files: tuple[ApkFile, ...] = field(default=())


def parse_installed(text: str) -> dict[str, ApkPackage]:
    """Read `lib/apk/db/installed`: name -> package, with its files, their modes, owners and hashes.

    Raises:
        BuildFailed: a package has no name.

    """
    found = {}
    for stanza in text.strip().split("\n\n"):
        values = {line[0]: line[2:] for line in stanza.splitlines() if line[1:2] == ":"}
        if "P" not in values:
            raise BuildFailed("Alpine's package database has an entry without a name.")
        found[values["P"]] = ApkPackage(
            name=values["P"],
            version=values.get("V", ""),
            checksum=values.get("C", ""),
            stanza=stanza,
            files=tuple(_files(stanza)),
        )
    return found


def make(recipe: BaseRecipe, *, carriers: Wheelhouse | None, tools: Wheelhouse | None) -> Rootfs:
    """Return the root file system of the Alpine base.

    Args:
        recipe: the base, with the names of Alpine's packages.
        carriers: the wheel with the disk and the wheel with CPython, their hashes verified.
        tools: pure wheels that are installed beside: pip.

    Raises:
        BuildFailed: a wheel does not have what it should, or a file is not what the package database says.

    """
    rootfs = Rootfs()
    with io.BytesIO(_member(carriers, r".*\.qcow2$")) as image:
        _add_packages(rootfs, _Disk(cast(IO[bytes], image)), recipe.packages)
    with tarfile.open(fileobj=io.BytesIO(_member(carriers, r".*/krunner-env\..*\.tar\.xz$"))) as archive:
        add_python(rootfs, archive)
    for wheel in tools.files if tools else ():
        site = f"usr/local/lib/python{recipe.python}/site-packages"
        python = f"/usr/local/bin/python{recipe.python}"
        pure_wheels.install(rootfs, wheel, site=site, scripts="usr/local/bin", python=python, version=recipe.python)
    return rootfs


def add_python(rootfs: Rootfs, archive: tarfile.TarFile) -> None:
    """Lay the wheel's CPython into /usr/local, which it was configured for, as root's."""
    for member in archive:
        path = clean(member.name)
        if not path or PYTHON_LEFT_OUT.match(path) or UNLOADABLE.match(path) or PYTHON_LEFT_OUT.match(path + "/"):
            continue
        to, mtime = f"usr/local/{path}", int(member.mtime)
        if member.isdir():
            rootfs.add_dir(to, mode=0o755, mtime=mtime)
        elif member.issym():
            rootfs.add_symlink(to, member.linkname, mtime=mtime)
        elif stream := archive.extractfile(member):
            rootfs.add_file(to, stream.read(), mode=member.mode & 0o755, mtime=mtime)


class _Disk:
    """Files of an ext4 file system that lies straight on a qcow2 disk."""

    def __init__(self, image: IO[bytes]) -> None:
        try:
            # Only here, since most commands read no disk, and these take their time to load.
            from dissect.extfs import ExtFS
            from dissect.hypervisor.disk.qcow2 import QCow2

            disk: Any = QCow2(image)
            self._fs: Any = ExtFS(disk.open() if hasattr(disk, "open") else disk)
        except Exception as error:  # dissect raises what its parsers happen to raise
            raise BuildFailed(f"The disk in the Alpine wheel cannot be read: {error}") from error

    def read(self, path: str) -> bytes:
        node = self._node(path)
        return bytes(str(node.link).encode() if node.filetype == 0o120000 else node.open().read())

    def is_link(self, path: str) -> bool:
        return bool(self._node(path).filetype == 0o120000)

    def status(self, path: str) -> tuple[int, tuple[int, int], int]:
        """Return mode, owner and time."""
        node = self._node(path)
        return node.inode.i_mode & 0o7777, (int(node.inode.i_uid), int(node.inode.i_gid)), int(node.mtime.timestamp())

    def _node(self, path: str) -> Any:
        try:
            return self._fs.get(f"/{path}")
        except Exception as error:  # likewise
            raise BuildFailed(f"The disk in the Alpine wheel has no {path}: {error}") from error


def _add_packages(rootfs: Rootfs, disk: _Disk, names: Collection[str]) -> None:
    database = parse_installed(disk.read(f"{DATABASE}/installed").decode())
    if missing := sorted(set(names) - database.keys()):
        raise BuildFailed(f"The disk in the Alpine wheel does not have {', '.join(missing)}.")
    chosen = [package for name, package in database.items() if name in set(names)]
    users = _added_users(disk.read("etc/passwd").decode(), {file.path: file for p in chosen for file in p.files})
    newest = 0
    for package in chosen:
        for file in package.files:
            newest = max(newest, _add_file(rootfs, disk, package, file, users))
    for path in rootfs.read(BUSYBOX_PATHS).decode().split() if BUSYBOX_PATHS in rootfs else ():
        if clean(path) not in rootfs:
            rootfs.add_symlink(path, "/bin/busybox", mtime=newest)
    _add_database(rootfs, disk, chosen, newest)


def _add_file(rootfs: Rootfs, disk: _Disk, package: ApkPackage, file: ApkFile, users: Collection[str]) -> int:
    mode, owner, mtime = disk.status(file.path)
    mode, owner = file.mode or mode, file.owner or owner
    if file.folder:
        if file.path:
            rootfs.add_dir(file.path, mode=file.mode or 0o755, owner=file.owner or (0, 0))
        return 0
    data = WRITTEN_ANEW.get(file.path) or disk.read(file.path)
    if file.path in ACCOUNTS:
        data = without_users(data, users)
    packaged = data.replace(*ROOT_LOCKED) if file.path == "etc/shadow" else data
    if file.sha1 is not None and hashlib.sha1(packaged, usedforsecurity=False).digest() != file.sha1:
        raise BuildFailed(
            f"{file.path} on the Alpine wheel's disk is not the file that {package.name} {package.version} has."
        )
    if disk.is_link(file.path):
        rootfs.add_symlink(file.path, data.decode(), mtime=mtime)
    else:
        rootfs.add_file(file.path, data, mode=mode, owner=owner, mtime=mtime)
    return mtime


def _added_users(passwd: str, files: dict[str, ApkFile]) -> set[str]:
    """Return the users at the end of passwd that the package's own file does not have, by that file's hash."""
    wanted = files["etc/passwd"].sha1 if "etc/passwd" in files else None
    lines = passwd.splitlines(keepends=True)
    for end in range(len(lines), 0, -1):
        if hashlib.sha1("".join(lines[:end]).encode(), usedforsecurity=False).digest() == wanted:
            return {line.split(":")[0] for line in lines[end:]}
    raise BuildFailed("The users on the Alpine wheel's disk are not Alpine's own with others added.")


def without_users(account_file: bytes, users: Collection[str]) -> bytes:
    """Return passwd, shadow or group without some users and the groups of their names."""
    kept = []
    for line in account_file.decode().splitlines():
        fields = line.split(":")
        if fields[0] in users:
            continue
        fields[-1] = ",".join(member for member in fields[-1].split(",") if member not in users)
        kept.append(":".join(fields) + "\n")
    return "".join(kept).encode()


def _add_database(rootfs: Rootfs, disk: _Disk, chosen: Collection[ApkPackage], newest: int) -> None:
    """Give it apk's database of the chosen packages, with their scripts and triggers and no others'."""
    stanzas = "".join(f"{package.stanza}\n\n" for package in chosen)
    rootfs.add_file(f"{DATABASE}/installed", stanzas.encode(), mtime=newest)
    triggers = disk.read(f"{DATABASE}/triggers").decode().splitlines(keepends=True)
    own = [line for line in triggers if line.split(" ")[0] in {package.checksum for package in chosen}]
    rootfs.add_file(f"{DATABASE}/triggers", "".join(own).encode(), mtime=newest)
    rootfs.add_file(f"{DATABASE}/lock", b"", mode=0o600, mtime=newest)
    scripts = own_scripts(disk.read(f"{DATABASE}/scripts.tar.gz"), chosen)
    rootfs.add_file(f"{DATABASE}/scripts.tar.gz", scripts, mtime=newest)
    world = [package.name for package in chosen if package.name not in _needed_by_others(chosen)]
    rootfs.add_file("etc/apk/world", "".join(f"{name}\n" for name in sorted(world)).encode(), mtime=newest)
    for path in ("etc/apk/arch", "etc/apk/repositories"):
        rootfs.add_file(path, disk.read(path), mtime=newest)


def _needed_by_others(chosen: Collection[ApkPackage]) -> set[str]:
    """Return the packages that apk would keep for another's sake: named, or by what they provide."""
    providers: dict[str, str] = {}
    for package in chosen:
        for word in _field(package, "p:"):
            providers[re.split(r"[=<>~]", word)[0]] = package.name
    needed = set()
    for package in chosen:
        for word in _field(package, "D:"):
            name = re.split(r"[=<>~]", word)[0]
            needed.add(providers.get(name, name))
        if _field(package, "i:"):
            needed.add(package.name)
    return needed


def _field(package: ApkPackage, key: str) -> list[str]:
    return next((line[2:].split() for line in package.stanza.splitlines() if line.startswith(key)), [])


def own_scripts(archive: bytes, chosen: Collection[ApkPackage]) -> bytes:
    """Return apk's `scripts.tar.gz` with the scripts of the chosen packages only (`NAME-VERSION.CHECKSUM.KIND`)."""
    prefixes = tuple(f"{package.name}-{package.version}." for package in chosen)
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            if member.name.startswith(prefixes) and (stream := old.extractfile(member)):
                new.addfile(member, stream)
    return gzip.compress(out.getvalue(), mtime=0)


def _files(stanza: str) -> Iterator[ApkFile]:
    """Read a stanza's F: (folder), M: (its owner and mode), R: (file in it), a: (its owner and mode), Z: (its hash)."""
    folder, pending = "", None
    for line in stanza.splitlines():
        key, value = line[:2], line[2:]
        if key in ("F:", "R:"):
            if pending is not None:
                yield pending
            folder = value if key == "F:" else folder
            path = value if key == "F:" else f"{folder}/{value}".lstrip("/")
            pending = ApkFile(path=path, folder=key == "F:")
        elif key in ("M:", "a:") and pending is not None:
            uid, gid, mode = value.split(":")[:3]
            pending = _with(pending, mode=int(mode, 8), owner=(int(uid), int(gid)))
        elif key == "Z:" and pending is not None and value.startswith("Q1"):
            pending = _with(pending, sha1=base64.b64decode(value[2:]))
    if pending is not None:
        yield pending


def _with(file: ApkFile, **values: Any) -> ApkFile:
    return ApkFile(**{**file.__dict__, **values})


def _member(carriers: Wheelhouse | None, pattern: str) -> bytes:
    """Return the one file of all the wheels whose name matches.

    Raises:
        BuildFailed: none or several match.

    """
    found: list[tuple[Path, str]] = []
    for wheel in carriers.files if carriers else ():
        with zipfile.ZipFile(wheel) as archive:
            found += [(wheel, name) for name in archive.namelist() if re.fullmatch(pattern, name)]
    if len(found) != 1:
        raise BuildFailed(f"The Alpine wheels have {len(found)} files like {pattern}, where one is needed.")
    with zipfile.ZipFile(found[0][0]) as archive:
        return archive.read(found[0][1])
