"""An image's archive as `docker save` writes it: manifest, configuration, layer streams; read in place, within bounds.

Nothing here trusts the archive. Nothing is unpacked; no single read is larger than `MAX_READ_BYTES`.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from security.layer_stream import MAX_READ_BYTES, TAR_ERRORS, LayerStream, unreadable

MAX_MEMBERS = 20_000
MAX_DOCUMENT_BYTES = 32 << 20


@dataclass(frozen=True, kw_only=True)
class ImageArchive:
    """An opened archive: the image's configuration document, and its layers from the lowest up."""

    config: Mapping[str, Any]
    diff_ids: tuple[str, ...]
    source: IO[bytes]
    places: tuple[tuple[int, int], ...]
    """Offset and length of each layer in the archive."""

    @property
    def compressed(self) -> bool:
        """Whether a layer is stored compressed, and may be larger than it looks."""
        return any(self.layer(number).compressed for number in range(len(self.places)))

    def layer(self, number: int) -> LayerStream:
        """Return a layer's uncompressed tar stream; one at a time may be read."""
        offset, size = self.places[number]
        return LayerStream(self.source, offset, size)


@contextmanager
def opened(path: Path) -> Iterator[ImageArchive]:
    """Open an image's archive for the length of a block.

    Raises:
        UnreadableOutput: it is cut short, damaged, holds other than one image, or contradicts itself.

    """
    with path.open("rb") as source:
        try:
            found = _open(source, path.stat().st_size)
        except TAR_ERRORS as error:
            raise unreadable(str(error) or type(error).__name__) from error
        yield found


def _open(source: IO[bytes], archive_bytes: int) -> ImageArchive:
    members = _members(source, archive_bytes)
    manifest = _document(source, members, "manifest.json")
    if not isinstance(manifest, list) or len(manifest) != 1 or not isinstance(manifest[0], dict):
        raise unreadable("its manifest does not describe one image")
    config_name, layer_names = manifest[0].get("Config"), _strings(manifest[0].get("Layers"))
    if not isinstance(config_name, str) or layer_names is None:
        raise unreadable("its manifest names no configuration or no layers")
    config = _config(source, members, config_name)
    diff_ids: list[str] = config["rootfs"]["diff_ids"]
    if len(diff_ids) != len(layer_names):
        raise unreadable(f"it has {len(layer_names)} layers, but its configuration counts {len(diff_ids)}")
    return ImageArchive(
        config=config,
        diff_ids=tuple(diff_ids),
        source=source,
        places=tuple(_place(members, name) for name in layer_names),
    )


def _members(source: IO[bytes], archive_bytes: int) -> dict[str, tarfile.TarInfo]:
    members: dict[str, tarfile.TarInfo] = {}
    with tarfile.TarFile(fileobj=_Guarded(source), mode="r") as tar:
        end = -1
        while (member := tar.next()) is not None:
            tar.members = []  # type: ignore[attr-defined]
            if member.offset <= end or len(members) >= MAX_MEMBERS:
                raise unreadable("its headers run in a circle, or it has far too many entries")
            end = member.offset
            if member.isreg() and member.offset_data + member.size > archive_bytes:
                raise unreadable(f"it is cut short in {member.name[:80]!r}")
            members[member.name] = member
    return members


class _Guarded(io.RawIOBase):
    """The archive's file with the length of a single read bounded, since headers tell the reader how much to read."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__()
        self._source = source

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > MAX_READ_BYTES:
            raise unreadable("a header gives an impossible length")
        return self._source.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()


def _place(members: Mapping[str, tarfile.TarInfo], name: str) -> tuple[int, int]:
    member = _follow(members, name)
    return member.offset_data, member.size


def _follow(members: Mapping[str, tarfile.TarInfo], name: str) -> tarfile.TarInfo:
    """Find a member; older engines write a layer that is there twice as a link to the first."""
    for _ in range(8):
        member = members.get(name)
        if member is None:
            break
        if member.isreg() and not member.issparse():
            return member
        if member.issym():
            folder = name.rpartition("/")[0].split("/") if "/" in name else []
            for part in member.linkname.split("/"):
                folder = folder[:-1] if part == ".." else folder + ([part] if part not in ("", ".") else [])
            name = "/".join(folder)
        elif member.islnk():
            name = member.linkname
        else:
            break
    raise unreadable(f"{name[:80]!r}, which its manifest names, is not in it")


def _document(source: IO[bytes], members: Mapping[str, tarfile.TarInfo], name: str) -> Any:
    member = _follow(members, name)
    if member.size > MAX_DOCUMENT_BYTES:
        raise unreadable(f"{name[:80]} is too large to be true")
    source.seek(member.offset_data)
    try:
        return json.loads(source.read(member.size))
    except (ValueError, RecursionError) as error:
        raise unreadable(f"{name[:80]} is not JSON") from error


def _config(source: IO[bytes], members: Mapping[str, tarfile.TarInfo], name: str) -> dict[str, Any]:
    document = _document(source, members, name)
    promised = re.search(r"(?:^|/)([0-9a-f]{64})(?:\.json)?$", name)
    if promised:
        member = _follow(members, name)
        source.seek(member.offset_data)
        if hashlib.sha256(source.read(member.size)).hexdigest() != promised[1]:
            raise unreadable("its configuration is not the one that its name promises")
    rootfs = document.get("rootfs") if isinstance(document, dict) else None
    if not isinstance(rootfs, dict) or _strings(rootfs.get("diff_ids")) is None:
        raise unreadable("its configuration lists no layers")
    return dict(document)


def _strings(value: object) -> list[str] | None:
    return value if isinstance(value, list) and all(isinstance(one, str) for one in value) else None
