"""Which `docker` command can build with BuildKit on an engine: of all on PATH, the first that carries or has it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from harness.engine.client import Engine
from harness.errors import ToolFailed, ToolMissing
from harness.process import call

CLIENT_TIMEOUT_S = 20.0
FIRST_WITH_BUILDKIT = (18, 9)
FIRST_THAT_NEEDS_BUILDX = (23, 0)


@dataclass(frozen=True, kw_only=True)
class Client:
    """A `docker` command that can build with BuildKit on the engine in question."""

    path: Path
    version: str


def buildkit_client(engine: Engine) -> Client | None:
    """Return the first `docker` on PATH that can build with BuildKit on an engine, or None."""
    if engine.is_podman:
        return None
    for path in docker_commands(os.environ.get("PATH", "")):
        with suppress(ToolFailed, ToolMissing):
            # Asking for the server's version too proves that the two can talk: new clients refuse old engines.
            said = call(
                [path, "version", "--format", "{{.Client.Version}} {{.Server.Version}}"],
                timeout_s=CLIENT_TIMEOUT_S,
                env=environment(engine),
            )
            version = said.stdout.split()[0] if said.stdout.split() else ""
            number = client_version(version)
            if number < FIRST_WITH_BUILDKIT:
                continue
            if number >= FIRST_THAT_NEEDS_BUILDX:
                call([path, "buildx", "version"], timeout_s=CLIENT_TIMEOUT_S)
            return Client(path=path, version=version)
    return None


def docker_commands(path: str) -> list[Path]:
    """Return every `docker` in the folders of a PATH, in its order; one that is there twice by a link counts once."""
    found: dict[Path, Path] = {}
    for folder in path.split(os.pathsep):
        candidate = Path(folder or ".") / "docker"
        if candidate.is_file() and os.access(candidate, os.X_OK):
            found.setdefault(candidate.resolve(), candidate)
    return list(found.values())


def client_version(text: str) -> tuple[int, int]:
    """Return major and minor of a version such as `20.10.24+dfsg1`; (0, 0) for what is none."""
    major, _, rest = text.partition(".")
    minor = rest.partition(".")[0]
    return (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else (0, 0)


def environment(engine: Engine) -> dict[str, str]:
    """Return the variables with which a `docker` command builds on an engine, inside of it and with BuildKit."""
    return {
        "DOCKER_HOST": engine.host,
        # A context would win over the host.
        "DOCKER_CONTEXT": "",
        "DOCKER_BUILDKIT": "1",
        # The builder inside the engine: any other neither sees the engine's images nor leaves the result there.
        "BUILDX_BUILDER": "default",
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    }
