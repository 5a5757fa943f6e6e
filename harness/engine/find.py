"""Which engine is used: the one that the user names, else one that runs, else one that Seatrial brings itself."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import docker.errors
from docker.context import ContextAPI
from requests.exceptions import RequestException

from harness.engine import daemon, things
from harness.engine.client import API_TIMEOUT_S, Engine
from harness.engine.daemon_settings import Files
from harness.engine.packages import WAYS, ensure_engine
from harness.errors import EngineMissing, SeatrialError
from harness.locks import forget_old_runs, run_lock
from harness.signals import stops_wait

PROBE_TIMEOUT_S = 5
NO_SOCKET = "no socket there"
SERVICE_START_S = 15.0
DOCKER_SOCKET = Path("/var/run/docker.sock")
PODMAN_SOCKET = Path("/run/podman/podman.sock")
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an engine may be, and who says so."""

    host: str
    source: str
    """How it was found, in a few words."""
    tls: Any = None
    named: bool = False
    """The user named it: if it does not answer, that is an error and no other is looked for."""


@dataclass(kw_only=True)
class Search:
    """An engine that answers, and why those before it in the order do not."""

    place: Place | None = None
    client: docker.DockerClient | None = None
    reasons: list[str] = field(default_factory=list)


@contextmanager
def open_engine(run_id: str, *, say: Say, install: bool = True) -> Iterator[Engine]:
    """Use an engine for the length of a run. At its end all that it made but images is removed, come what may.

    The run's lock is held as long, so that others see that it lives.

    Args:
        run_id: goes into the labels of all that is made.
        say: told in a line what is done.
        install: whether an engine may be installed or started where none runs.

    Raises:
        EngineMissing: there is none; the hint lists the ways to get one.
        UsageError: another process is busy with the same run.

    """
    forget_old_runs()
    with run_lock(run_id), connected(run_id, say=say, install=install) as engine:
        try:
            yield engine
        finally:
            with stops_wait(say):
                sweep(engine, run_id, say=say)


def sweep(engine: Engine, run_id: str, *, say: Say) -> None:
    """Remove the containers, volumes and networks of one run; say what could not be removed."""
    try:
        failures = things.remove(
            engine.client, (thing for thing in things.of_runs(engine.client) if thing.run_id == run_id)
        )
    except SeatrialError as error:
        failures = [error.message]
    for failure in failures:
        say(f"Left behind, for `seatrial clean` to remove: {failure}")


@contextmanager
def connected(run_id: str = "", *, say: Say, install: bool = True, start: bool = True) -> Iterator[Engine]:
    """Use an engine for the length of a block, with nothing removed at its end.

    Args:
        run_id: goes into the labels of all that is made.
        say: told in a line what is done.
        install: whether an engine may be installed where there is none.
        start: whether Seatrial's own may be started where none runs.

    Raises:
        EngineMissing: there is none; the hint lists the ways to get one.

    """
    with ExitStack() as stack:
        search = look()
        if search.place is None:
            search = _bring_one(search, stack, say=say, install=install and start, start=start)
        elif search.place.host == Files.of_user().host:
            # Count as a user of it, so that another run does not stop it; it may have been stopped since.
            _close(search)
            search = _own(stack.enter_context(daemon.in_use(say)))
        client, place = search.client, search.place
        if client is None or place is None:
            why = f" ({'; '.join(search.reasons)})" if search.reasons else ""
            raise EngineMissing(f"No container engine was found{why}.", WAYS)
        stack.callback(client.close)
        yield Engine(client, run_id=run_id, source=place.source, host=place.host)


def look() -> Search:
    """Return the first engine, in the order of this module's first line, that answers; nothing is started.

    Raises:
        EngineMissing: the one that the user named does not answer.

    """
    search = Search()
    for place in places():
        client, reason = connect(place)
        if client is not None:
            return Search(place=place, client=client, reasons=search.reasons)
        if place.named:
            raise EngineMissing(
                f"{place.source} names the engine {place.host}, which does not answer: {reason}.",
                "Start it, or name another, or none: then Seatrial looks for one itself.",
            )
        if reason != NO_SOCKET:
            search.reasons.append(f"{place.source} at {place.host}: {reason}")
    return search


def places() -> Iterator[Place]:
    """Yield where an engine may be, in order: named by the user, Docker, Podman, Seatrial's own.

    Raises:
        EngineMissing: the docker context that is set does not exist or cannot be read.

    """
    host = os.environ.get("DOCKER_HOST")
    if host:
        yield Place(host=host, source="DOCKER_HOST", named=True)
        return
    yield from _context()
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    yield Place(host=f"unix://{DOCKER_SOCKET}", source="Docker")
    yield Place(host=f"unix://{runtime}/docker.sock", source="rootless Docker")
    yield Place(host=f"unix://{PODMAN_SOCKET}", source="Podman")
    yield Place(host=f"unix://{runtime}/podman/podman.sock", source="rootless Podman")
    yield Place(host=Files.of_user().host, source="Seatrial's own")


def connect(place: Place) -> tuple[docker.DockerClient | None, str]:
    """Return a client whose engine has answered, or None and why it does not."""
    if place.host.startswith("unix://"):
        reason = _socket_trouble(Path(place.host.removeprefix("unix://")))
        if reason:
            return None, reason
    try:
        asked = _client(place, version="auto", timeout=PROBE_TIMEOUT_S)
        version = asked.api.api_version
        asked.close()
        return _client(place, version=version, timeout=API_TIMEOUT_S), ""
    except (docker.errors.DockerException, RequestException, OSError, ValueError) as error:
        return None, _reason(error)


def _client(place: Place, *, version: str, timeout: float) -> docker.DockerClient:
    options: dict[str, Any] = {"base_url": place.host, "version": version, "timeout": timeout}
    if place.source == "DOCKER_HOST":
        # The environment says as well whether and how to encrypt.
        client = docker.from_env(version=version, timeout=int(timeout), use_ssh_client=_over_ssh(place))
    else:
        client = docker.DockerClient(**options, tls=place.tls or False, use_ssh_client=_over_ssh(place))
    return client


def _over_ssh(place: Place) -> bool:
    return place.host.startswith("ssh://")


def _context() -> Iterator[Place]:
    name = os.environ.get("DOCKER_CONTEXT") or None
    try:
        context = ContextAPI.get_context(name)
    except Exception as error:  # the SDK raises bare Exception for a context that it cannot read
        raise EngineMissing(f"The docker context cannot be read: {error}", "See `docker context ls`.") from error
    if context is None:
        raise EngineMissing(f"There is no docker context {name!r}.", "See `docker context ls`.")
    if context.name != "default" and context.Host:
        yield Place(host=context.Host, source=f"the docker context {context.name}", tls=context.TLSConfig, named=True)


def _bring_one(search: Search, stack: ExitStack, *, say: Say, install: bool, start: bool) -> Search:
    """Install an engine where that is allowed, use the packaged service if it came up, else start Seatrial's own."""
    if not start:
        return search
    if not daemon.installed():
        if not install:
            search.reasons.append("none is installed")
            return search
        try:
            ensure_engine(say=say)
        except EngineMissing as error:
            tried = "".join(f" {reason}." for reason in search.reasons)
            raise EngineMissing(error.message + tried, error.hint) from error
        packaged = _packaged_service()
        if packaged is not None:
            return packaged
    if os.geteuid() != 0:
        search.reasons.append("dockerd is installed but does not run, and starting it needs root")
        return search
    return _own(stack.enter_context(daemon.in_use(say)))


def _packaged_service() -> Search | None:
    """Wait for the service that the package brought, where an init system started it."""
    place = Place(host=f"unix://{DOCKER_SOCKET}", source="Docker, installed by Seatrial")
    client, _ = _once_it_answers(place, SERVICE_START_S if Path("/run/systemd/system").is_dir() else 2)
    return None if client is None else Search(place=place, client=client)


def _own(host: str) -> Search:
    place = Place(host=host, source="Seatrial's own")
    # Its socket takes connections well before it answers what is asked there.
    client, reason = _once_it_answers(place, daemon.DOCKERD_START_S)
    if client is None:
        raise EngineMissing(
            f"Seatrial's own engine was started but does not answer: {reason}.",
            f"See the logs in {Files.of_user().home}.",
        )
    return Search(place=place, client=client)


def _once_it_answers(place: Place, patience_s: float) -> tuple[docker.DockerClient | None, str]:
    deadline = time.monotonic() + patience_s
    while True:
        client, reason = connect(place)
        if client is not None or time.monotonic() > deadline:
            return client, reason
        time.sleep(0.2)


def _close(search: Search) -> None:
    if search.client is not None:
        search.client.close()


def _socket_trouble(path: Path) -> str:
    """Return why a socket cannot be an engine's; empty where it can."""
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return "this user may not look there"
    except OSError:
        return NO_SOCKET
    if not stat.S_ISSOCK(mode):
        return "not a socket"
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        try:
            probe.connect(str(path))
        except OSError as error:
            return _reason(error)
    return ""


def _reason(error: Exception) -> str:
    """Return the innermost cause in a line: the SDK and its HTTP library wrap it several times."""
    text = str(error)
    for sign, plain in (
        ("Connection refused", "nobody listens there"),
        ("No such file or directory", NO_SOCKET),
        ("Permission denied", "this user may not use its socket"),
        ("timed out", f"no answer within {PROBE_TIMEOUT_S} s"),
        ("Name or service not known", "no such host"),
    ):
        if sign.lower() in text.lower():
            return plain
    return text.splitlines()[0][:200] if text else type(error).__name__
