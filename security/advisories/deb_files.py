"""Reads the changelog out of a Debian package's file (deb(5)), within bounds and without unpacking it to disk."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zlib
from typing import IO

import zstandard

from security.advisories import changelogs

MAGIC = b"!<arch>\n"
HEADER_BYTES = 60
MAX_CHANGELOG_BYTES = 64 << 20
MAX_MEMBERS = 500_000


class NoChangelog(ValueError):
    """A package's file has no changelog of its source in it: some link to another package's."""


def read_changelog(data: bytes, *, package: str, source: str, source_version: str) -> bytes:
    """Return the changelog of the source that a package was built from.

    Args:
        data: the .deb file.
        package: the binary package's name.
        source: the source package's name.
        source_version: its version; the changelog's newest entry must be of it.

    Raises:
        NoChangelog: the file is damaged, or holds no such changelog.

    """
    folder = f"usr/share/doc/{package}"
    # A package that is Debian's own has no upstream, and its changelog no "Debian" in the name (policy 12.7).
    wanted = [f"{folder}/{name}" for name in ("changelog.Debian.gz", "changelog.gz", "changelog.Debian", "changelog")]
    try:
        found = _files(_data_archive(data), wanted)
        for name in wanted:
            if name in found and _is_of(text := _plain(found[name], name), source, source_version):
                return text
    except (tarfile.TarError, OSError, EOFError, lzma.LZMAError, zlib.error, zstandard.ZstdError) as error:
        raise NoChangelog(f"the package {package} cannot be read: {error}") from error
    raise NoChangelog(f"the package {package} holds no changelog of {source} {source_version}")


def _data_archive(data: bytes) -> tarfile.TarFile:
    """Return the files' archive: the member `data.tar` of an ar archive, compressed or not."""
    if not data.startswith(MAGIC):
        raise NoChangelog("the file is no Debian package")
    at = len(MAGIC)
    while at + HEADER_BYTES <= len(data):
        header = data[at : at + HEADER_BYTES]
        name, size = header[:16].decode("ascii", "replace").strip().rstrip("/"), header[48:58].strip()
        if not size.isdigit():
            break
        start, length = at + HEADER_BYTES, int(size)
        if name == "data.tar.zst":
            member = io.BytesIO(data[start : start + length])
            return tarfile.open(fileobj=zstandard.ZstdDecompressor().stream_reader(member), mode="r|")
        if name.startswith("data.tar"):
            return tarfile.open(fileobj=io.BytesIO(data[start : start + length]), mode="r|*")
        at = start + length + length % 2
    raise NoChangelog("the file is no Debian package")


def _files(archive: tarfile.TarFile, wanted: list[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with archive:
        for number, member in enumerate(archive):
            if number > MAX_MEMBERS:
                break
            name = member.name.removeprefix("./")
            if name in wanted and member.isfile():
                found[name] = _bounded(archive.extractfile(member))
    return found


def _plain(data: bytes, name: str) -> bytes:
    if not name.endswith(".gz"):
        return data
    with gzip.open(io.BytesIO(data)) as file:
        return _bounded(file)


def _is_of(text: bytes, source: str, source_version: str) -> bool:
    header = changelogs.HEADER.match(text[:1000].decode("utf-8", "replace").lstrip())
    return header is not None and (header[1], header[2]) == (source, source_version)


def _bounded(file: IO[bytes] | gzip.GzipFile | None) -> bytes:
    data = file.read(MAX_CHANGELOG_BYTES + 1) if file else b""
    if len(data) > MAX_CHANGELOG_BYTES:
        raise NoChangelog("its changelog is larger than any real one")
    return data
