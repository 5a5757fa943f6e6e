"""Reads the records out of an OSV dump, `<ecosystem>/all.zip`, within bounds, whatever the archive claims of itself."""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from harness.errors import UnreadableOutput
from security.advisories.records import BadRecord, Record, parse

MAX_ARCHIVE_BYTES = 1 << 30
MAX_DIRECTORY_BYTES = 32 << 20
"""Of the archive's table of contents, which is read whole: OSV's largest dumps have half of it."""
MAX_RECORD_BYTES = 16 << 20
MAX_TOTAL_BYTES = 4 << 30
"""Of all records, unpacked."""
HINT = "Get it anew with `seatrial advisories update`, or name another folder with --advisories."

END_OF_DIRECTORY = struct.Struct("<4s4H2LH")
ZIP64_LOCATOR = struct.Struct("<4sLQL")
ZIP64_END = struct.Struct("<4sQ2H2L4Q")


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """One file of a dump that is no usable record."""

    file: str
    reason: str


def sha256(path: Path) -> str:
    """Return the hash of a dump, in hex.

    Raises:
        UnreadableOutput: it cannot be read.

    """
    try:
        with path.open("rb") as archive:
            return hashlib.file_digest(archive, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableOutput(f"The advisory data {path} cannot be read: {error.strerror}.", HINT) from error


def records(path: Path) -> Iterator[Record | Unreadable]:
    """Yield every record of a dump, and for each file that is none, why.

    Raises:
        UnreadableOutput: it is no ZIP archive, is damaged, or is larger than any real dump.

    """
    left = MAX_TOTAL_BYTES
    try:
        with path.open("rb") as raw:
            _check_size(raw, path)
            with zipfile.ZipFile(raw) as archive:
                for info in archive.infolist():
                    if info.is_dir() or not info.filename.endswith(".json"):
                        continue
                    data = _member(archive, info)
                    if isinstance(data, bytes):
                        left -= len(data)
                        if left < 0:
                            raise UnreadableOutput(f"{path} unpacks to more than {MAX_TOTAL_BYTES >> 30} GiB.", HINT)
                    yield _read(info.filename, data)
    except (OSError, zipfile.BadZipFile, struct.error, EOFError, ValueError) as error:
        raise UnreadableOutput(f"The advisory data {path} is no sound ZIP archive: {error}", HINT) from error


def _read(name: str, data: bytes | Unreadable) -> Record | Unreadable:
    if isinstance(data, Unreadable):
        return data
    try:
        return parse(data)
    except BadRecord as error:
        return Unreadable(file=_printable(name), reason=str(error))


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | Unreadable:
    name = _printable(info.filename)
    try:
        with archive.open(info) as member:
            data = member.read(MAX_RECORD_BYTES + 1)
    except (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        return Unreadable(file=name, reason=f"damaged: {error}")
    if len(data) > MAX_RECORD_BYTES:
        return Unreadable(file=name, reason=f"larger than {MAX_RECORD_BYTES >> 20} MiB")
    return data


def _check_size(archive: BinaryIO, path: Path) -> None:
    """Refuse an archive whose table of contents would not fit: zipfile would read it whole."""
    size = archive.seek(0, 2)
    if size > MAX_ARCHIVE_BYTES:
        raise UnreadableOutput(f"{path} has {size >> 20} MiB, more than any real dump.", HINT)
    start = max(0, size - END_OF_DIRECTORY.size - 65_535)
    archive.seek(start)
    tail = archive.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < END_OF_DIRECTORY.size:
        raise zipfile.BadZipFile("it has no table of contents")
    directory = END_OF_DIRECTORY.unpack_from(tail, at)[5]
    locator = start + at - ZIP64_LOCATOR.size
    if locator >= 0:
        archive.seek(locator)
        signature, _, offset, _ = ZIP64_LOCATOR.unpack(archive.read(ZIP64_LOCATOR.size))
        if signature == b"PK\x06\x07":
            archive.seek(min(offset, size))
            directory = max(directory, 0) if directory != 0xFFFFFFFF else _zip64_directory(archive)
    if directory > MAX_DIRECTORY_BYTES:
        raise UnreadableOutput(f"{path} lists more files than any real dump.", HINT)
    archive.seek(0)


def _zip64_directory(archive: BinaryIO) -> int:
    data = archive.read(ZIP64_END.size)
    if len(data) < ZIP64_END.size or not data.startswith(b"PK\x06\x06"):
        raise zipfile.BadZipFile("its table of contents is damaged")
    return int(ZIP64_END.unpack(data)[8])


def _printable(name: str) -> str:
    return "".join(char if char.isprintable() else "\ufffd" for char in name[:200])
