"""The listing of an image's files: one line a path, compressed; written by the scan, read by the comparison."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from harness.errors import UnreadableOutput

ENDING = ".files.gz"
MAX_BYTES = 256 << 20
"""Of a listing, unpacked: some 500,000 paths of the greatest length that is usual."""
FIELDS = 7

Listing = Callable[[str], bytes | None]
"""Gives the bytes of one listing of the run; None where it is not there."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One path of an image: kind, mode (with setuid and setgid), owner, group, size in bytes, and a link's target."""

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    size_bytes: int
    target: str = ""

    @property
    def setuid_or_setgid(self) -> bool:
        """Whether running it changes the user or the group."""
        return self.kind in ("file", "hardlink") and bool(self.mode & 0o6000)


def encode(files: Iterable[ListedFile]) -> bytes:
    """Write a listing, by path; paths and targets must be printable, as the scan's are."""
    lines = (
        "\t".join((one.kind, f"{one.mode:04o}", str(one.uid), str(one.gid), str(one.size_bytes), one.path, one.target))
        for one in sorted(files, key=lambda one: one.path)
    )
    return gzip.compress("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"), mtime=0)


def decode(data: bytes, name: str) -> Mapping[str, ListedFile]:
    """Read a listing: path -> file.

    Raises:
        UnreadableOutput: it is damaged, or larger than one can be.

    """
    try:
        unpacker = zlib.decompressobj(wbits=31)
        text = unpacker.decompress(data, MAX_BYTES)
        if unpacker.unconsumed_tail or not unpacker.eof:
            raise ValueError("it is cut short, or too large")
        return {one.path: one for one in map(_read, text.decode("utf-8").splitlines())}
    except (zlib.error, ValueError, UnicodeDecodeError) as error:
        raise UnreadableOutput(f"The listing {name} cannot be read: {error}.", "Run `seatrial scan` again.") from error


def _read(line: str) -> ListedFile:
    fields = line.split("\t")
    if len(fields) != FIELDS:
        raise ValueError("a line has not seven fields")
    kind, mode, uid, gid, size, path, target = fields
    return ListedFile(path, kind, int(mode, 8), int(uid), int(gid), int(size), target)
