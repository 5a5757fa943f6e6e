"""Signals to a container's first process, by which Seatrial's own programs are told what to do."""

from __future__ import annotations

from harness.engine.client import Container, Engine, told


def send(engine: Engine, container: Container, name: str) -> None:
    """Send a signal, such as `SIGUSR1`.

    Raises:
        EngineRefused: the container is not running.

    """
    with told(f"sending {name} to the container {container.name}"):
        engine.api.kill(str(container.id), signal=name)
