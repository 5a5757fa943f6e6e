"""A layer's tar stream, unpacked as it is read: forward only, hashed as it passes, no read without a bound."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable
from typing import IO, cast

import zstandard

from harness.errors import UnreadableOutput

MAX_READ_BYTES = 32 << 20
MAX_LAYER_BYTES = 64 << 30
MAX_EXPANSION = 200
"""A compressed layer that grows by more than this, beyond `FREE_EXPANSION_BYTES`, is taken for a decompression bomb."""
FREE_EXPANSION_BYTES = 256 << 20
MAX_WINDOW_BYTES = 128 << 20
"""What zstd may remember while it unpacks; its own limit without `--ultra`."""
CHUNK_BYTES = 1 << 20
HINT = "Build the image again; if that does not help, the engine's storage may be damaged."

TAR_ERRORS = (
    tarfile.TarError,
    OSError,
    ValueError,
    OverflowError,
    EOFError,
    RecursionError,
    zlib.error,
    zstandard.ZstdError,
    IndexError,
    KeyError,
)
"""What the standard library raises on a damaged tar stream."""


def unreadable(what: str) -> UnreadableOutput:
    """Return the error for an archive that is not what it should be."""
    return UnreadableOutput(f"The image's archive cannot be read: {what}.", HINT)


class LayerStream(io.RawIOBase):
    """A layer's uncompressed tar stream: forward only, hashed as it passes, each read bounded.

    Args:
        source: the archive's file.
        offset: where the layer begins in it.
        size: its length there, in bytes.

    """

    def __init__(self, source: IO[bytes], offset: int, size: int) -> None:
        super().__init__()
        self._source = source
        self._next = offset
        self._left = size
        self.stored_bytes = size
        self._pending = b""
        self._position = 0
        self._hash = hashlib.sha256()
        self.last_read = b""
        """What the last read gave: a tar reader that stopped on anything but zeros stopped on damage."""
        magic = self._raw(4, peek=True)
        self._unpack: Callable[[int], bytes] | None = None
        if magic[:2] == b"\x1f\x8b":
            self._inflate = zlib.decompressobj(wbits=31)
            self._unpack = self._inflated
        elif magic == b"\x28\xb5\x2f\xfd":
            unpacker = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
            self._unpack = unpacker.stream_reader(cast(IO[bytes], _Raw(self._raw)), read_across_frames=True).read

    @property
    def compressed(self) -> bool:
        """Whether it is unpacked as it is read."""
        return self._unpack is not None

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be moved: forward only."""
        return True

    def tell(self) -> int:
        """Return the position in the uncompressed stream."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move forward, by reading.

        Raises:
            UnreadableOutput: the target lies behind: only a header that lies leads there.

        """
        if whence != io.SEEK_SET or offset < self._position:
            raise unreadable("a layer's header points backwards")
        while self._position < offset:
            if not self._take(min(CHUNK_BYTES, offset - self._position)):
                break
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, fewer only at the end.

        Raises:
            UnreadableOutput: a header asks for more than any honest one does.

        """
        if size < 0 or size > MAX_READ_BYTES:
            raise unreadable("a layer's header gives an impossible length")
        parts: list[bytes] = []
        while size and (part := self._take(size)):
            parts.append(part)
            size -= len(part)
        self.last_read = b"".join(parts)
        return self.last_read

    def digest(self) -> str:
        """Read to the end and return `sha256:` of the whole uncompressed stream."""
        while self._take(CHUNK_BYTES):
            pass
        return f"sha256:{self._hash.hexdigest()}"

    def _take(self, size: int) -> bytes:
        data = self._raw(size) if self._unpack is None else self._unpack(size)
        self._hash.update(data)
        self._position += len(data)
        if self._position > MAX_LAYER_BYTES:
            raise unreadable("a layer is larger than any that is read")
        if self._unpack and self._position > FREE_EXPANSION_BYTES + MAX_EXPANSION * self.stored_bytes:
            raise unreadable("a layer expands far beyond its compressed size, as a decompression bomb does")
        return data

    def _inflated(self, size: int) -> bytes:
        inflate = self._inflate
        while not inflate.eof:
            fed = self._pending or self._raw(CHUNK_BYTES)
            data = inflate.decompress(fed, size)
            self._pending = inflate.unconsumed_tail
            if data:
                return data
            if not fed:
                raise unreadable("a compressed layer is cut short")
        return b""

    def _raw(self, size: int, *, peek: bool = False) -> bytes:
        self._source.seek(self._next)
        data = self._source.read(min(size, self._left))
        if not peek:
            self._next += len(data)
            self._left -= len(data)
        return data


class _Raw(io.RawIOBase):
    """A layer's stored bytes, as a file to be read."""

    def __init__(self, take: Callable[[int], bytes]) -> None:
        super().__init__()
        self._take = take

    def read(self, size: int = -1) -> bytes:
        return self._take(CHUNK_BYTES if size < 0 else size)
