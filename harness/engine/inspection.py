"""What the engine says of a container: its whole configuration, its processes, the sessions executed in it."""

from __future__ import annotations

from typing import Any

from harness.engine.client import Container, Engine, EngineRefused, told


def inspect(engine: Engine, container: Container) -> dict[str, Any]:
    """Return a container's inspect document."""
    with told(f"inspecting the container {container.name}"):
        return dict(engine.api.inspect_container(str(container.id)))


def processes(engine: Engine, container: Container) -> tuple[str, ...] | None:
    """Return the command line of each process in a container, by the engine's own list.

    None where the engine cannot say: it runs `ps` on its own machine, which may have none.
    """
    try:
        with told(f"listing the processes of {container.name}"):
            found = engine.api.top(str(container.id))
    except EngineRefused:
        return None
    titles, rows = found.get("Titles") or [], found.get("Processes") or []
    column = next((n for n, title in enumerate(titles) if title in ("CMD", "COMMAND")), -1)
    return tuple(str(row[column]) for row in rows)


def exec_sessions(engine: Engine, document: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return the inspect documents of the sessions that are being executed in a container now."""
    found = []
    for identifier in document.get("ExecIDs") or ():
        with told(f"inspecting the session {identifier}"):
            found.append(dict(engine.api.exec_inspect(identifier)))
    return tuple(found)
