"""The merged file system of an image, from its layers' tar streams; whiteouts honoured, nothing unpacked."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import IO

from harness.errors import UnreadableOutput
from harness.model import Waste
from security.archive import ImageArchive
from security.layer_stream import TAR_ERRORS, LayerStream, unreadable
from security.secrets import NOT_SEARCHED
from security.subjects import Entry, FileSystem, SecretHit
from security.tar_entries import kind, normal_path, printable, target

MAX_ENTRIES = 500_000
"""Over all layers; some 150 MB of memory."""
MAX_KEPT_FILE_BYTES = 16 << 20
MAX_KEPT_BYTES = 64 << 20
MAX_PATH_BYTES = 4096
"""PATH_MAX: no process could open a longer one."""
MAX_ODDITIES = 50
PIECE_BYTES = 1 << 20
"""Larger files are searched for secrets piece by piece."""
OVERLAP_BYTES = 8 << 10
"""Of two pieces; no shape of a credential is longer."""
MAX_LARGE_BYTES = 512 << 20
"""So much of an image's larger files is searched; half a minute of work. What is over it is named."""
LARGEST_WASTES = 20

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
CAPABILITY = "SCHILY.xattr.security.capability"

KEPT = (
    "etc/passwd", "etc/shadow", "etc/group", "etc/os-release", "usr/lib/os-release", "etc/debian_version",
    "etc/alpine-release", "etc/apt/sources.list", "etc/apt/sources.list.d/*", "etc/apk/repositories", "etc/pip.conf",
    "var/lib/dpkg/status", "var/lib/dpkg/status.d/*", "lib/apk/db/installed", "usr/lib/apk/db/installed",
    "*requirements*.txt",
    "*.dist-info/METADATA",
    "*.egg-info/PKG-INFO",
)  # fmt: skip
"""The files whose content a check or the inventory reads."""

Inspect = Callable[[str, bytes], Iterable[str]]
"""Says which kinds of secrets a file's content holds; never gives them away."""


@dataclass(kw_only=True)
class LayerContents:
    """One layer's entries, and what it takes away from those below."""

    number: int
    entries: dict[str, Entry] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    emptied: set[str] = field(default_factory=set)
    """Opaque directories: what lower layers have in them is gone."""
    contents: dict[str, bytes] = field(default_factory=dict)
    secrets: list[tuple[str, str]] = field(default_factory=list)
    """Path, and kind of secret."""
    not_searched: list[str] = field(default_factory=list)
    """Files that were too large to be searched for them."""
    oddities: list[str] = field(default_factory=list)


def read_file_system(archive: ImageArchive, *, inspect: Inspect | None = None) -> FileSystem:
    """Read all layers of an image once and merge them.

    Args:
        archive: the opened archive.
        inspect: looks at the content of every file of every layer, a piece of up to `PIECE_BYTES` at a time.

    Raises:
        UnreadableOutput: a layer is damaged, is not the one its digest promises, or has more entries than are read.

    """
    layers: list[LayerContents] = []
    budget = _Budget()
    for number, diff_id in enumerate(archive.diff_ids):
        stream = archive.layer(number)
        layers.append(read_layer(stream, number, inspect=inspect, budget=budget))
        if stream.digest() != diff_id:
            raise unreadable(f"layer {number} is not the one that its digest promises")
    return merge(layers)


@dataclass(kw_only=True)
class _Budget:
    entries: int = field(default_factory=lambda: MAX_ENTRIES)
    kept_bytes: int = field(default_factory=lambda: MAX_KEPT_BYTES)
    large_bytes: int = field(default_factory=lambda: MAX_LARGE_BYTES)


def read_layer(
    stream: LayerStream, number: int, *, inspect: Inspect | None = None, budget: _Budget | None = None
) -> LayerContents:
    """Read one layer's tar stream to the end of its archive.

    Raises:
        UnreadableOutput: it is damaged, or larger than is read.

    """
    layer = LayerContents(number=number)
    left = budget or _Budget()
    if stream.stored_bytes == 0:
        return layer
    try:
        with tarfile.TarFile(fileobj=stream, mode="r", encoding="utf-8", errors="surrogateescape") as tar:
            while (member := tar.next()) is not None:
                # Or the reader keeps every header that it has seen.
                tar.members = []  # type: ignore[attr-defined]
                left.entries -= 1
                if left.entries < 0:
                    raise unreadable(f"it has more than {MAX_ENTRIES:,} entries")
                _add(layer, tar, member, inspect, left)
    except UnreadableOutput:
        raise
    except TAR_ERRORS as error:
        raise unreadable(f"layer {number}: {error or type(error).__name__}") from error
    if stream.last_read.strip(b"\0"):
        # The standard library takes a broken header for the end. What comes after it would never be looked at.
        raise unreadable(f"layer {number} has a broken header at byte {stream.tell() - len(stream.last_read)}")
    return layer


def _add(
    layer: LayerContents, tar: tarfile.TarFile, member: tarfile.TarInfo, inspect: Inspect | None, left: _Budget
) -> None:
    path = normal_path(member.name)
    if path is None or len(member.name) > MAX_PATH_BYTES:
        _odd(layer, f"entry {printable(member.name)[:100]!r} leads out of the root or is too long for any system")
        return
    folder, _, name = path.rpartition("/")
    if name == OPAQUE:
        layer.emptied.add(folder)
        return
    if name.startswith(WHITEOUT):
        # Other `.wh..wh.` names are a storage driver's own; Docker ignores them.
        if not name.startswith(WHITEOUT + WHITEOUT):
            layer.removed.add(f"{folder}/{name[len(WHITEOUT) :]}".lstrip("/"))
        return
    if not path:
        return
    entry = Entry(
        path,
        kind=kind(member),
        mode=member.mode & 0o7777,
        uid=member.uid,
        gid=member.gid,
        size_bytes=member.size if member.isreg() else 0,
        layer=layer.number,
        target=target(member),
        capabilities=CAPABILITY in member.pax_headers,
    )
    layer.entries[path] = entry
    layer.contents.pop(path, None)
    if entry.kind != "file":
        return
    if not member.issparse():
        _look_inside(layer, tar, member, entry, inspect, left)
    elif inspect is not None:
        layer.not_searched.append(path)


def _look_inside(
    layer: LayerContents,
    tar: tarfile.TarFile,
    member: tarfile.TarInfo,
    entry: Entry,
    inspect: Inspect | None,
    left: _Budget,
) -> None:
    keep = entry.size_bytes <= MAX_KEPT_FILE_BYTES and any(fnmatchcase(entry.path, pattern) for pattern in KEPT)
    look = inspect is not None and entry.size_bytes > 0
    handle = tar.extractfile(member) if keep or look else None
    if handle is None:
        return
    if inspect is not None and entry.size_bytes > PIECE_BYTES and not keep:
        _search_large(layer, handle, entry, inspect, left)
        return
    data = handle.read()
    if len(data) != entry.size_bytes:
        raise unreadable(f"layer {layer.number} is cut short in {entry.path[:80]!r}")
    if keep:
        left.kept_bytes -= len(data)
        if left.kept_bytes < 0:
            raise unreadable("its package databases and account files are too large to be true")
        layer.contents[entry.path] = data
    if look and inspect is not None:
        layer.secrets += [(entry.path, kind) for kind in inspect(entry.path, data)]


def _search_large(layer: LayerContents, handle: IO[bytes], entry: Entry, inspect: Inspect, left: _Budget) -> None:
    """Look at a file's content piece by piece; what is left unread, the reader of the archive passes over."""
    piece = handle.read(PIECE_BYTES)
    if piece.startswith(NOT_SEARCHED):
        return
    if entry.size_bytes > left.large_bytes:
        layer.not_searched.append(entry.path)
        return
    left.large_bytes -= entry.size_bytes
    kinds: set[str] = set()
    size = len(piece)
    while piece:
        kinds.update(inspect(entry.path, piece))
        more = handle.read(PIECE_BYTES - OVERLAP_BYTES)
        size += len(more)
        piece = piece[-OVERLAP_BYTES:] + more if more else b""
    if size != entry.size_bytes:
        raise unreadable(f"layer {layer.number} is cut short in {entry.path[:80]!r}")
    layer.secrets += [(entry.path, kind) for kind in sorted(kinds)]


def merge(layers: Iterable[LayerContents]) -> FileSystem:
    """Stack layers, the lowest first, by the rules of the OCI image specification (`layer.md`, whiteouts)."""
    entries: dict[str, Entry] = {}
    contents: dict[str, bytes] = {}
    sizes: dict[str, list[int]] = {}
    oddities: list[str] = []
    hits: list[tuple[int, str, str]] = []
    not_searched: list[str] = []
    for layer in layers:
        for path in _gone(entries, layer):
            if entries.pop(path).kind == "file":
                sizes[path].append(0)
            contents.pop(path, None)
        for path, entry in layer.entries.items():
            entries[path] = entry
            contents.pop(path, None)
            if entry.kind == "file":
                sizes.setdefault(path, []).append(entry.size_bytes)
        contents |= layer.contents
        oddities += [f"layer {layer.number}: {what}" for what in layer.oddities]
        hits += [(layer.number, path, kind) for path, kind in layer.secrets]
        not_searched += [f"/{path} in layer {layer.number}" for path in layer.not_searched]
    wasted = _wasted(sizes, entries)
    return FileSystem(
        entries=entries,
        contents=contents,
        oddities=tuple(oddities),
        secrets=tuple(
            SecretHit(where=path, kind=kind, layer=number, deleted=path not in entries or entries[path].layer != number)
            for number, path, kind in sorted(set(hits), key=lambda hit: (hit[1], hit[2], hit[0]))
        ),
        not_searched=tuple(not_searched),
        wasted=wasted[:LARGEST_WASTES],
        wasted_bytes=sum(one.bytes for one in wasted),
        least_bytes=sum(min(seen) for seen in sizes.values()),
        discovered_bytes=sum(sum(seen) for seen in sizes.values()),
    )


def _gone(entries: Mapping[str, Entry], layer: LayerContents) -> list[str]:
    """Return what the layer takes away: by whiteouts, opaque directories, and in place of directories."""
    whole = layer.removed | {
        path
        for path, entry in layer.entries.items()
        if entry.kind != "directory" and path in entries and entries[path].kind == "directory"
    }
    if not whole and not layer.emptied:
        return []
    within = whole | layer.emptied
    everything = "" in layer.emptied
    return [path for path in entries if everything or path in whole or _under(path, within)]


def _under(path: str, folders: set[str]) -> bool:
    end = path.rfind("/")
    while end > 0:
        if path[:end] in folders:
            return True
        end = path.rfind("/", 0, end)
    return False


def _wasted(sizes: Mapping[str, list[int]], entries: Mapping[str, Entry]) -> tuple[Waste, ...]:
    found = []
    for path, seen in sizes.items():
        useful = entries[path].size_bytes if path in entries else 0
        if (lost := sum(seen) - useful) > 0:
            found.append(Waste(path=path, bytes=lost, copies=sum(1 for size in seen if size)))
    return tuple(sorted(found, key=lambda waste: (-waste.bytes, waste.path)))


def _odd(layer: LayerContents, what: str) -> None:
    if len(layer.oddities) < MAX_ODDITIES:
        layer.oddities.append(what)
