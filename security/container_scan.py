"""All container checks on one container."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.model import ContainerCheckResult
from security.check import LoadedCheck, discover
from security.running_container import parse


def checks() -> tuple[LoadedCheck, ...]:
    """Return every container check, by id."""
    return discover(importlib.import_module("security.container_checks"))


def run_all(
    document: Mapping[str, Any],
    processes: Sequence[str] | None,
    engine_info: Mapping[str, Any],
    *,
    sessions: Iterable[Mapping[str, Any]] | None = None,
    log: str | None = None,
    tag_points_to: str | None = None,
    argued_capabilities: Sequence[str] = (),
) -> tuple[ContainerCheckResult, ...]:
    """Run every check on a container as the engine describes it.

    Args:
        document: the engine's inspect document of the container.
        processes: the command lines of its processes; None where the engine cannot list them.
        engine_info: the engine's own description of itself (`docker info`).
        sessions: inspect documents of the sessions open in it; None where they were not asked for.
        log: what it printed at its start; None where it was not read.
        tag_points_to: id of the image that the container's image reference names now.
        argued_capabilities: capabilities that may be added, since somebody gave reasons.

    Raises:
        UnreadableOutput: the inspect document is not one.

    """
    container = parse(
        document,
        engine_info=engine_info,
        processes=processes,
        sessions=sessions,
        log=log,
        tag_points_to=tag_points_to,
        argued_capabilities=argued_capabilities,
    )
    return tuple(
        ContainerCheckResult(
            id=one.check.id,
            title=one.check.title,
            severity=one.check.severity,
            outcome=one.test(container),
            remediation=one.check.remediation,
        )
        for one in checks()
    )
