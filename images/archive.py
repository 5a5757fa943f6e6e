"""Reads an image's archive (`docker save`) as it streams by: each layer's size, and as a registry would send it."""

from __future__ import annotations

import hashlib
import io
import json
import posixpath
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from harness.errors import UnreadableOutput
from harness.model import Layer

READ_BYTES = 1 << 20
GZIP_LEVEL = 6
"""What engines push with: the default of Go's gzip. Python's zlib comes within a percent or two of it."""
GZIP = 16 + zlib.MAX_WBITS
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
LARGEST_DOCUMENT = 16 << 20


@dataclass(frozen=True)
class Blob:
    """One layer's stream: its uncompressed digest, and both sizes in bytes."""

    diff_id: str
    size_bytes: int
    compressed_bytes: int


Compressed = Callable[[str, Callable[[], int]], int]
"""Takes a diff id and a function that compresses that layer; returns its compressed bytes, perhaps remembered ones."""


@dataclass(frozen=True)
class ImageArchive:
    """What an image's archive holds."""

    layers: tuple[Layer, ...]
    """Lowest first."""
    settings: dict[str, Any]
    """The image's own configuration (User, Entrypoint, Healthcheck), as in the OCI image specification."""


def read_archive(chunks: Iterable[bytes], *, compressed: Compressed) -> ImageArchive:
    """Read an image's archive in its old form or in the OCI layout.

    Raises:
        UnreadableOutput: it is no such archive.

    """
    documents: dict[str, Any] = {}
    blobs: dict[str, Blob] = {}
    links: dict[str, str] = {}
    stream_of_chunks = io.BufferedReader(_Chunks(iter(chunks)), READ_BYTES)
    try:
        with tarfile.open(fileobj=stream_of_chunks, mode="r|") as archive:
            for member in archive:
                if member.issym() or member.islnk():
                    links[member.name] = posixpath.normpath(
                        posixpath.join(posixpath.dirname(member.name), member.linkname)
                    )
                elif (stream := archive.extractfile(member)) is not None:
                    found = _read_member(stream, compressed)
                    if isinstance(found, Blob):
                        blobs[member.name] = found
                    else:
                        documents[member.name] = found
        manifest = documents["manifest.json"][0]
        config = documents[manifest["Config"]]
        layers = [blobs[links.get(name, name)] for name in manifest["Layers"]]
        made_by = [entry for entry in config["history"] if not entry.get("empty_layer")]
        diff_ids = config["rootfs"]["diff_ids"]
        settings = dict(config.get("config") or {})
    except (tarfile.TarError, zlib.error, ValueError, KeyError, IndexError, TypeError) as error:
        raise UnreadableOutput(f"The engine's archive of the image cannot be read: {error!r}") from error
    finally:
        # A connection that is left before its end stays open.
        while stream_of_chunks.read(READ_BYTES):
            pass
    if [layer.diff_id for layer in layers] != diff_ids or len(made_by) != len(layers):
        raise UnreadableOutput("The engine's archive of the image holds other layers than the image says it has.")
    return ImageArchive(
        layers=tuple(
            Layer(
                diff_id=blob.diff_id,
                size_bytes=blob.size_bytes,
                compressed_bytes=blob.compressed_bytes,
                created_by=entry.get("created_by") or entry.get("comment") or "",
            )
            for blob, entry in zip(layers, made_by, strict=True)
        ),
        settings=settings,
    )


def gzip_size(stream: IO[bytes]) -> int:
    """Return how many bytes a stream comes to through gzip."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP)
    size = sum(len(packer.compress(block)) for block in _blocks(stream))
    return size + len(packer.flush())


def _read_member(stream: IO[bytes], compressed: Compressed) -> Any:
    """Return a layer as a Blob, a JSON document as what it holds, and anything else as None."""
    first = stream.read(READ_BYTES)
    if first[:1] in (b"{", b"["):
        return json.loads(first + stream.read(LARGEST_DOCUMENT))
    if first.startswith(ZSTD_MAGIC):
        raise ValueError("a layer is packed with zstd")
    if not first.startswith(GZIP_MAGIC) and first[257:262] != b"ustar" and any(first):
        return None
    # Whether it has been compressed before is known only when its end has been seen, so it is kept meanwhile.
    with tempfile.TemporaryFile() as copy:
        digest = hashlib.sha256()
        unpacker = zlib.decompressobj(GZIP) if first.startswith(GZIP_MAGIC) else None
        size = packed = 0
        for block in _after(first, stream):
            packed += len(block)
            plain = unpacker.decompress(block) if unpacker else block
            digest.update(plain)
            size += len(plain)
            if unpacker is None:
                copy.write(block)
        diff_id = f"sha256:{digest.hexdigest()}"
        if unpacker is not None:
            return Blob(diff_id, size, packed)
        copy.seek(0)
        return Blob(diff_id, size, compressed(diff_id, lambda: gzip_size(copy)))


def _after(first: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    yield first
    yield from _blocks(stream)


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(READ_BYTES):
        yield block


class _Chunks(io.RawIOBase):
    """Chunks as they come, read as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            try:
                self._left = next(self._chunks)
            except StopIteration:
                return 0
        taken = self._left[: len(buffer)]
        self._left = self._left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)
