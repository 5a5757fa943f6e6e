"""What a container's cgroup says, out of the engine's statistics document; cgroup v1 and v2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.errors import UnreadableOutput

NANOSECONDS = 1e9


@dataclass(frozen=True, kw_only=True)
class ContainerStats:
    """One reading. Seconds since the container began; bytes now; None where the engine does not say."""

    cpu_seconds: float
    throttled_seconds: float
    anonymous_bytes: int | None
    peak_bytes: int | None
    """The kernel's peak with shared page cache (cgroup v1 only; on v2 the API has none)."""
    pids: int | None
    read_at: float | None = None
    """When the engine read it, in seconds since the epoch by its own clock: the answer may come much later."""


def parse_stats(document: Mapping[str, Any]) -> ContainerStats:
    """Read the engine's statistics document (Docker API 1.41, `GET /containers/ID/stats`).

    Raises:
        UnreadableOutput: the document has no CPU time: the container has ended, or it is not such a document.

    """
    try:
        cpu = document["cpu_stats"]
        cpu_seconds = cpu["cpu_usage"]["total_usage"] / NANOSECONDS
    except (KeyError, TypeError) as error:
        hint = "Is the container still running?"
        raise UnreadableOutput("The engine's statistics have no CPU time.", hint) from error
    memory = document.get("memory_stats") or {}
    detail = memory.get("stats") or {}
    return ContainerStats(
        cpu_seconds=cpu_seconds,
        throttled_seconds=(cpu.get("throttling_data") or {}).get("throttled_time", 0) / NANOSECONDS,
        anonymous_bytes=detail.get("anon", detail.get("rss")),
        peak_bytes=memory.get("max_usage") or None,
        pids=(document.get("pids_stats") or {}).get("current"),
        read_at=_moment(document.get("read")),
    )


def _moment(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return None
