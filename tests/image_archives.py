"""Image archives as `docker save` writes them, made in memory: honest ones, and ones that no honest engine writes."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

TarEntry = tuple[tarfile.TarInfo, bytes]


def file(
    name: str, data: bytes = b"", *, mode: int = 0o644, uid: int = 0, pax: Mapping[str, str] | None = None
) -> TarEntry:
    """A regular file's entry."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.uid, info.pax_headers = len(data), mode, uid, dict(pax or {})
    return info, data


def special(name: str, kind: bytes, *, target: str = "", mode: int = 0o755) -> TarEntry:
    """An entry without content: a directory, a link, a device."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, mode
    return info, b""


def folder(name: str, *, mode: int = 0o755) -> TarEntry:
    """A directory's entry."""
    return special(name, tarfile.DIRTYPE, mode=mode)


def layer(*entries: TarEntry) -> bytes:
    """A layer's uncompressed tar stream."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def digest(data: bytes) -> str:
    """The digest as an image's configuration writes it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def save(
    path: Path,
    layers: Iterable[bytes],
    *,
    stored: Iterable[bytes] | None = None,
    config: Mapping[str, Any] | None = None,
    manifest: object = None,
    links: Mapping[str, str] | None = None,
) -> Path:
    """Write an archive.

    Args:
        path: the file.
        layers: uncompressed streams; the configuration has their digests.
        stored: what is stored in their place, such as compressed streams.
        config: laid over the configuration.
        manifest: replaces the manifest.
        links: symbolic links in the archive, name -> target.

    """
    plain = list(layers)
    kept = list(stored) if stored is not None else plain
    document = {
        "architecture": "amd64",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in plain]},
    }
    document |= config or {}
    raw = json.dumps(document).encode()
    name = f"{hashlib.sha256(raw).hexdigest()}.json"
    names = [f"{number}/layer.tar" for number in range(len(plain))]
    described = manifest if manifest is not None else [{"Config": name, "RepoTags": ["made:1"], "Layers": names}]
    with tarfile.open(path, "w") as tar:
        for member, data in [
            (name, raw),
            *zip(names, kept, strict=False),
            ("manifest.json", json.dumps(described).encode()),
        ]:
            if member not in (links or {}):
                tar.addfile(file(member, data)[0], io.BytesIO(data))
        for member, target in (links or {}).items():
            tar.addfile(special(member, tarfile.SYMTYPE, target=target)[0])
    return path
