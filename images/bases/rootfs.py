"""A root file system in memory: files with owners, modes and links, written as a tar that depends on nothing else."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO


class _Hashing:
    """A file that keeps the hash of what is written to it."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self.digest = hashlib.sha256()

    def write(self, block: bytes) -> int:
        self.digest.update(block)
        return self._sink.write(block)


class Rootfs:
    """Paths without a leading slash -> what is there. Later entries replace earlier ones, as layers of packages do."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def info(self, path: str) -> tarfile.TarInfo:
        """Return an entry's kind, owner, mode and time."""
        return self._entries[path][0]

    def read(self, path: str) -> bytes:
        """Return a file's bytes; hard links are followed."""
        info, data = self._entries[path]
        return self.read(clean(info.linkname)) if info.islnk() else data

    def add_file(
        self, path: str, data: bytes, *, mode: int = 0o644, owner: tuple[int, int] = (0, 0), mtime: int = 0
    ) -> None:
        """Put a file in place; missing parents are made."""
        self._add(_info(path, tarfile.REGTYPE, mode=mode, owner=owner, mtime=mtime), data)

    def add_dir(self, path: str, *, mode: int = 0o755, owner: tuple[int, int] = (0, 0), mtime: int = 0) -> None:
        """Put a folder in place; missing parents are made."""
        self._add(_info(path, tarfile.DIRTYPE, mode=mode, owner=owner, mtime=mtime), b"")

    def add_symlink(self, path: str, target: str, *, mtime: int = 0) -> None:
        """Put a symbolic link in place; missing parents are made."""
        info = _info(path, tarfile.SYMTYPE, mode=0o777, owner=(0, 0), mtime=mtime)
        info.linkname = target
        self._add(info, b"")

    def add_tar(self, archive: tarfile.TarFile, keep: Callable[[str], bool] = lambda path: True) -> None:
        """Lay an archive over it. Device files are left out: an engine makes its own, and a rootless one cannot."""
        for member in archive:
            path = clean(member.name)
            if not path or not keep(path) or not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
                continue
            stream = archive.extractfile(member) if member.isreg() else None
            if member.isdir() and path in self._entries and not self._entries[path][0].isdir():
                # A package's folder does not replace the link that leads to where that folder is.
                continue
            info = _info(path, member.type, mode=member.mode, owner=(member.uid, member.gid), mtime=int(member.mtime))
            info.linkname = clean(member.linkname) if member.islnk() else str(member.linkname)
            info.pax_headers = {k: v for k, v in member.pax_headers.items() if k.startswith("SCHILY.xattr.")}
            self._add(info, stream.read() if stream else b"")

    def remove(self, path: str) -> None:
        """Take away an entry and all that is below it; nothing there is no error."""
        below = f"{path}/"
        for name in [name for name in self._entries if name == path or name.startswith(below)]:
            del self._entries[name]

    def write(self, path: Path, *, newest: int | None = None) -> str:
        """Write it as an uncompressed tar and return the tar's SHA-256.

        Args:
            path: the file to write.
            newest: time stamps after this one (seconds since 1970) are set to it.

        """
        with path.open("wb") as sink:
            return self._write(sink, newest)

    def to_bytes(self) -> bytes:
        """Return it as an uncompressed tar."""
        sink = io.BytesIO()
        self._write(sink, None)
        return sink.getvalue()

    def _write(self, sink: IO[bytes], newest: int | None) -> str:
        hashing = _Hashing(sink)
        with tarfile.open(fileobj=hashing, mode="w|", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
            # Hard links last, so that what they point to is there.
            for name in sorted(self._entries, key=lambda each: (self._entries[each][0].islnk(), each)):
                info, data = self._entries[name]
                info.mtime = min(int(info.mtime), newest) if newest is not None else int(info.mtime)
                archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
        return hashing.digest.hexdigest()

    def _add(self, info: tarfile.TarInfo, data: bytes) -> None:
        parent, _, _ = info.name.rpartition("/")
        if parent and parent not in self._entries:
            self.add_dir(parent)
        info.size = len(data)
        self._entries[info.name] = (info, data)


def clean(name: str) -> str:
    """Return a path as it is kept here: no leading `./` or `/`, no trailing slash."""
    return "" if name == "." else str(name).removeprefix("./").strip("/")


def _info(path: str, kind: bytes, *, mode: int, owner: tuple[int, int], mtime: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(clean(path))
    info.type, info.mode, info.mtime = kind, mode, mtime
    info.uid, info.gid = owner
    return info
