"""Layers are read from an image's archive in either layout, and each is compressed once."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.errors import UnreadableOutput
from images.archive import gzip_size, read_archive

HISTORY = [
    {"created_by": "ADD root /"},
    {"created_by": "ENV A=B", "empty_layer": True},
    {"created_by": "", "comment": "Imported from -"},
]


def layer(text: bytes) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        info = tarfile.TarInfo("file")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return target.getvalue()


LAYERS = [layer(b"a" * 3_000_000), layer(b"b")]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def config(layers: list[bytes] = LAYERS) -> bytes:
    return json.dumps(
        {
            "rootfs": {"diff_ids": [f"sha256:{digest(one)}" for one in layers]},
            "history": HISTORY,
            "config": {"User": "1:1"},
        }
    ).encode()


def archive(members: dict[str, bytes], links: dict[str, str] | None = None) -> Iterator[bytes]:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for name, to in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, to
            tar.addfile(info)
    data = target.getvalue()
    # Chunks that begin and end anywhere, as they come from a socket.
    return (data[start : start + 70_001] for start in range(0, len(data), 70_001))


def manifest(config_name: str, names: list[str]) -> bytes:
    return json.dumps([{"Config": config_name, "RepoTags": ["x:1"], "Layers": names}]).encode()


def at_once(_diff_id: str, compress: Callable[[], int]) -> int:
    return compress()


def old_layout() -> Iterator[bytes]:
    return archive(
        {
            "0/VERSION": b"1.0",
            "0/json": b"{}",
            "0/layer.tar": LAYERS[0],
            "1/layer.tar": LAYERS[1],
            "c.json": config(),
            "manifest.json": manifest("c.json", ["0/layer.tar", "1/layer.tar"]),
            "repositories": b"{}",
        }
    )


def oci_layout(pack: Callable[[bytes], bytes] = bytes) -> Iterator[bytes]:
    blobs = {f"blobs/sha256/{digest(pack(one))}": pack(one) for one in LAYERS}
    name = f"blobs/sha256/{digest(config())}"
    return archive(
        {
            **blobs,
            name: config(),
            "index.json": b'{"schemaVersion": 2}',
            "manifest.json": manifest(name, list(blobs)),
            "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        }
    )


@pytest.mark.parametrize(
    "chunks", [old_layout, oci_layout, lambda: oci_layout(gzip.compress)], ids=["docker-20", "oci", "oci-gzip"]
)
def test_layers_with_sizes_and_what_made_them(chunks: Callable[[], Iterator[bytes]]) -> None:
    first, second = read_archive(chunks(), compressed=at_once).layers
    assert [first.diff_id, second.diff_id] == [f"sha256:{digest(one)}" for one in LAYERS]
    assert [first.size_bytes, second.size_bytes] == [len(one) for one in LAYERS]
    assert [first.created_by, second.created_by] == ["ADD root /", "Imported from -"]
    for found, plain in zip((first, second), LAYERS, strict=True):
        assert found.compressed_bytes == pytest.approx(len(gzip.compress(plain)), rel=0.6)
        assert found.compressed_bytes < len(plain)


def test_a_layer_that_is_there_twice_comes_as_a_link() -> None:
    twice = [LAYERS[1], LAYERS[1]]
    chunks = archive(
        {
            "0/layer.tar": LAYERS[1],
            "c.json": config(twice),
            "manifest.json": manifest("c.json", ["0/layer.tar", "1/layer.tar"]),
        },
        links={"1/layer.tar": "../0/layer.tar"},
    )
    first, second = read_archive(chunks, compressed=at_once).layers
    assert first.diff_id == second.diff_id


def test_what_was_compressed_before_is_not_again() -> None:
    def remembered(_diff_id: str, _compress: Callable[[], int]) -> int:
        return 7

    assert [one.compressed_bytes for one in read_archive(old_layout(), compressed=remembered).layers] == [7, 7]


def test_compressed_as_gzip_does_it() -> None:
    data = bytes(range(256)) * 40_000
    assert gzip_size(io.BytesIO(data)) == pytest.approx(len(gzip.compress(data, 6)), abs=20)


def members(**changes: Any) -> Iterator[bytes]:
    whole = {
        "0/layer.tar": LAYERS[0],
        "1/layer.tar": LAYERS[1],
        "c.json": config(),
        "manifest.json": manifest("c.json", ["0/layer.tar", "1/layer.tar"]),
    }
    return archive({name: data for name, data in (whole | changes).items() if data is not None})


@pytest.mark.parametrize(
    "chunks",
    [
        lambda: iter([b""]),
        lambda: iter([b"no archive at all" * 100]),
        lambda: members(**{"manifest.json": None}),
        lambda: members(**{"manifest.json": b"[]"}),
        lambda: members(**{"manifest.json": b"{broken"}),
        lambda: members(**{"1/layer.tar": None}),
        lambda: members(**{"1/layer.tar": LAYERS[0]}),
        lambda: members(**{"c.json": b'{"history": [], "rootfs": {"diff_ids": []}}'}),
        lambda: iter(list(members())[:5]),
        lambda: members(**{"1/layer.tar": b"\x28\xb5\x2f\xfd zstd"}),
    ],
    ids=["empty", "rubbish", "no-manifest", "empty-manifest", "broken-json", "layer-missing", "wrong-layer",
         "no-history", "cut-off", "zstd"],
)  # fmt: skip
def test_what_is_no_archive_is_told(chunks: Callable[[], Iterator[bytes]]) -> None:
    with pytest.raises(UnreadableOutput):
        read_archive(chunks(), compressed=at_once)


def test_the_images_own_settings_are_read_too() -> None:
    assert read_archive(old_layout(), compressed=at_once).settings == {"User": "1:1"}
