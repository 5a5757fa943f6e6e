"""Records of images that were never built, for tests that need no engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.model import BaseImage, BaseSource, Image, Layer, NotMeasured

NOT = NotMeasured(not_measured="made for a test")


def image(variant: str = "slim-dev", *, layers: tuple[str, ...] = ("sha256:a",), **changes: Any) -> Image:
    """Make an image's record."""
    fields: dict[str, Any] = {
        "variant": variant,
        "reference": f"seatrial/{variant}:latest",
        "digest": "sha256:" + "1" * 64,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        "size_bytes": 1,
        "compressed_bytes": 1,
        "wheelhouse_bytes": 0,
        "layers": tuple(Layer(diff_id=one, size_bytes=1, compressed_bytes=1, created_by="") for one in layers),
        "build_cold_seconds": NOT,
        "build_cached_seconds": NOT,
        "built_in_parallel": 1,
        "builder": "classic",
        "user": "",
        "entrypoint": (),
        "command": (),
        "exposed_ports": (),
        "healthcheck": None,
        "labels": {},
        "base": BaseImage(
            name="slim", public="python:3.13-slim", reference="b", digest="d", source=BaseSource.PACKAGES
        ),
        "interpreter": NOT,
    }
    return Image(**(fields | changes))
