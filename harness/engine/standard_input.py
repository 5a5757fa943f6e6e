"""A container's standard input, held open: how a host tells a program in it to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from harness.engine.client import Container, Engine, EngineRefused, told


@contextmanager
def speaking(engine: Engine, container: Container) -> Iterator[Callable[[str], None]]:
    """Lend a function that sends a line to a container's standard input, which its spec must have opened.

    Raises:
        EngineRefused: the engine does not attach to it, or the container has ended.

    """
    with told(f"attaching to {container.name}"):
        connection: Any = engine.api.attach_socket(str(container.id), params={"stdin": 1, "stream": 1})
    raw = getattr(connection, "_sock", connection)

    def say(line: str) -> None:
        try:
            raw.sendall(line.encode() + b"\n")
        except OSError as error:
            raise EngineRefused(f"The container {container.name} no longer listens: {error}") from error

    try:
        yield say
    finally:
        # The first is but a file over the second, which would stay open.
        connection.close()
        raw.close()
