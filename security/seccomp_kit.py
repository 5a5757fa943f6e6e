"""The recorder inside a container: strace with its own loader on a volume, so that an image needs nothing for it."""

from __future__ import annotations

import io
import shlex
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from harness.engine.client import Container, Engine, EngineRefused, told
from harness.engine.labels import Role
from harness.engine.volumes import filled_volume, read_file
from harness.errors import NoValidMeasurement, ToolMissing
from harness.model import Recorder

PLACE = "/seatrial-recorder"
LOGS = f"{PLACE}/logs"
LOADER = f"{PLACE}/ld"
STRACE = (LOADER, "--library-path", PLACE, f"{PLACE}/strace")
OPTIONS = ("-f", "-ttt", "-s", "0", "-e", "signal=none", "-q")
DETACHED = "-DDD"
"""The recorder as a grandchild in a session of its own: the image's program stays process 1, and gets the signals."""
SAYS_ITS_VERSION = (LOADER, "--version")
"""The smallest program that there is in any container; it shows that the runtime started one."""
VERSION = "GLIBC"
FORBIDDEN = ("ptrace", "PTRACE", "Operation not permitted")


@contextmanager
def brought_in(engine: Engine, recorder: Recorder, image: str) -> Iterator[Mapping[str, Mapping[str, str]]]:
    """Lend the volumes of a container in which the recorder can be run; nothing of the image is changed."""
    with filled_volume(engine, Role.PROBE, _with_logs(recorder.tar), image=image) as name:
        yield {name: {"bind": PLACE, "mode": "rw"}}


def recorded(command: Sequence[str], log: str, *, detached: bool = False) -> list[str]:
    """Return the argument list that runs a command under the recorder, which writes into a file of `LOGS`."""
    return [*STRACE, *((DETACHED,) if detached else ()), *OPTIONS, "-o", f"{LOGS}/{log}", "--", *command]


def log_of(engine: Engine, container: Container, log: str) -> str:
    """Return what the recorder wrote into a file.

    Raises:
        NoValidMeasurement: it wrote nothing.

    """
    try:
        text = read_file(engine, container, f"{LOGS}/{log}").decode("utf-8", errors="replace")
    except EngineRefused as error:
        raise NoValidMeasurement(f"The recorder left no log of {log}: {error.message}") from error
    if "(" not in text:
        raise NoValidMeasurement(f"The recorder wrote nothing of {log}.")
    return text


def forbidden(said: str) -> str | None:
    """Return the recorder's word that it may not watch another process, out of what a container printed."""
    return next((one for one in said.splitlines() if "strace:" in one and any(w in one for w in FORBIDDEN)), None)


def refuse_forbidden(said: str) -> None:
    """Refuse where the kernel, or what confines the container, does not let one process watch another.

    Raises:
        ToolMissing: a recorder said so.

    """
    line = forbidden(said)
    if line is not None:
        raise ToolMissing(
            f"No system calls can be recorded here: {line.strip()}",
            "The engine's default seccomp profile allows ptrace from Linux 4.8 on; kernel.yama.ptrace_scope must be "
            "0 or 1, and a security module must allow it.",
        )


def execute(engine: Engine, container: Container, command: Sequence[str]) -> tuple[int, str]:
    """Run a command in a container, as `docker exec` does; return its exit code and both outputs.

    Raises:
        EngineRefused: the engine could not start it.

    """
    with told(f"running {shlex.join(command[:3])} in {container.name}"):
        code, output = container.exec_run(list(command))
    said = output if isinstance(output, bytes) else b""
    return int(code if code is not None else -1), said.decode("utf-8", errors="replace")


def health_command(config: Mapping[str, Any]) -> list[str] | None:
    """Return the command of an image's health check, by its `Config`; None where it has none."""
    test = list((config.get("Healthcheck") or {}).get("Test") or ())
    match test:
        case ["CMD", *words] if words:
            return [str(word) for word in words]
        case ["CMD-SHELL", line]:
            shell = config.get("Shell") or ["/bin/sh", "-c"]
            return [*map(str, shell), str(line)]
        case _:
            return None


def own_command(config: Mapping[str, Any]) -> list[str]:
    """Return the command that an image starts, by its `Config`: entry point and arguments.

    Raises:
        NoValidMeasurement: it starts none.

    """
    words = [str(word) for word in (*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()))]
    if not words:
        raise NoValidMeasurement("The image starts no program of its own.")
    return words


def _with_logs(tar: bytes) -> bytes:
    """Return the recorder's files with a folder beside them in which anybody may write."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(tar)) as files, tarfile.open(fileobj=made, mode="w") as archive:
        for member in files:
            archive.addfile(member, files.extractfile(member) if member.isreg() else None)
        folder = tarfile.TarInfo("logs")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
    return made.getvalue()
