"""Builds images: with BuildKit where a `docker` client can, else with the classic builder; leaves nothing else behind.

BuildKit is spoken to by the `docker` command only, so it needs one on PATH that can build: a client of version 18.09 to
22 carries it, a newer one needs the buildx plugin. Podman's API and engines without such a client get the classic
builder, through the SDK. Its intermediate images are removed when the builder's block ends, and not before: until then
they are its cache, also for builds that run beside.
"""

from __future__ import annotations

import math
import re
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import docker.errors
from docker.utils import create_archive, exclude_paths

from harness.engine.buildkit import Client, buildkit_client, environment
from harness.engine.client import Engine, EngineRefused, told
from harness.errors import BuildFailed, Interrupted, SeatrialError, ToolFailed, ToolMissing
from harness.process import call

BUILDKIT = "buildkit"
CLASSIC = "classic"
LINES_IN_ERROR = 12
REMOVAL_PATIENCE_S = 5.0
WATCH_S = 0.2
IGNORE_FILE = ".dockerignore"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_SHORT_ID = re.compile(r"[0-9a-f]{11,12}")


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """One image to build, without network. `dockerfile` may lie outside of `context`."""

    context: Path
    dockerfile: Path
    tag: str
    log: Path
    """Everything the builder says is written here."""
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    use_cache: bool = True
    network: str = "none"
    timeout_s: float = 900.0


class Builder:
    """Builds images on one engine; made by `building`.

    Args:
        engine: where to build.
        client: the `docker` command for BuildKit; None for the classic builder.

    """

    def __init__(self, engine: Engine, client: Client | None) -> None:
        self.engine = engine
        self.client = client
        self.cancel = threading.Event()
        """Once set, builds that run are stopped; for callers whose builds are in threads."""
        self._before = frozenset[str]() if client else _images(engine)
        self._made: dict[str, None] = {}
        self._containers: list[str] = []

    @property
    def name(self) -> str:
        """`buildkit` or `classic`, as in the results."""
        return BUILDKIT if self.client else CLASSIC

    def build(self, request: BuildRequest, on_line: Callable[[str], None] = lambda _: None) -> str:
        """Build an image and return its id; every line of the builder goes to the log and to `on_line`.

        Raises:
            BuildFailed: with the builder's last lines and the path of its whole log.
            Interrupted: `cancel` was set.
            EngineMissing: the engine no longer answers.

        """
        request.log.parent.mkdir(parents=True, exist_ok=True)
        last: deque[str] = deque(maxlen=LINES_IN_ERROR)
        with request.log.open("a", encoding="utf-8") as log:
            write = _writer(log, last, on_line)
            write(
                f"# {self.name}: {request.tag} from {request.dockerfile.name}"
                + ("" if request.use_cache else ", no cache")
            )
            try:
                if self.client:
                    self._buildkit(self.client, request, write)
                else:
                    self._classic(request, write)
            except (ToolFailed, EngineRefused, docker.errors.NotFound) as error:
                write(f"# {_first_line(error)}")
                said = "\n  ".join(last)
                raise BuildFailed(
                    f"{request.dockerfile.name} could not be built with the {self.name} builder:\n  {said}",
                    f"The whole log is {request.log}.",
                ) from error
        built = self.engine.image(request.tag)
        if built is None:
            raise BuildFailed(f"The {self.name} builder ended well, but the engine has no {request.tag}.")
        return str(built["Id"])

    def clean(self) -> None:
        """Remove what the classic builder left: containers of stopped builds, images that no built one is made from."""
        for container in self._containers:
            self._remove_container(container)
        self._containers.clear()
        for image in reversed(self._made):
            # Refused where an image that stays is made from it, or where somebody uses it: then it is no leftover.
            with suppress(docker.errors.APIError, SeatrialError):
                found = self.engine.image(image)
                if found and not found["RepoTags"]:
                    self.engine.api.remove_image(image, noprune=True)
        self._made.clear()

    def _buildkit(self, client: Client, request: BuildRequest, write: Callable[[str], None]) -> None:
        options = [f"--build-arg={name}={value}" for name, value in request.build_args.items()]
        options += [f"--label={name}={value}" for name, value in request.labels.items()]
        options += [] if request.use_cache else ["--no-cache"]
        argv = [str(client.path), "build", "--progress=plain", f"--network={request.network}", f"--tag={request.tag}"]
        call(
            [*argv, f"--file={request.dockerfile}", *options, str(request.context)],
            timeout_s=request.timeout_s,
            env=environment(self.engine),
            on_line=write,
            cancel=self.cancel,
        )

    def _classic(self, request: BuildRequest, write: Callable[[str], None]) -> None:
        deadline = time.monotonic() + request.timeout_s
        with _archive(request) as (archive, dockerfile), told(f"building {request.tag}"):
            stream = self.engine.api.build(
                fileobj=archive,
                custom_context=True,
                dockerfile=dockerfile,
                # The stream may be silent for as long as the build may take; who stops it is `_stopping`.
                timeout=math.ceil(request.timeout_s + 60),
                tag=request.tag,
                buildargs=dict(request.build_args),
                labels=dict(request.labels),
                network_mode=request.network,
                nocache=not request.use_cache,
                rm=True,
                # Containers of failed steps have no label to find them by.
                forcerm=True,
                decode=True,
            )
            containers: list[str] = []
            failure = ""
            with self._stopping(containers, deadline):
                # Read to its end, also after a failure: the engine cleans up meanwhile.
                for message in stream:
                    for line in self._lines(message, containers):
                        write(line)
                    failure = failure or str(message.get("error") or "")
            if failure and self.cancel.is_set():
                raise Interrupted(f"The build of {request.tag} was stopped.")
            if failure and time.monotonic() > deadline:
                raise EngineRefused(f"It took longer than {request.timeout_s:g} seconds and was stopped.")
            if failure:
                raise EngineRefused(failure)

    @contextmanager
    def _stopping(self, containers: list[str], deadline: float) -> Iterator[None]:
        """Stop what runs once it is time to, by killing its container: a silent step sends nothing to react to."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(WATCH_S):
                if containers and (self.cancel.is_set() or time.monotonic() > deadline):
                    with suppress(docker.errors.APIError):
                        self.engine.api.kill(containers[-1])

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            self._containers += containers

    def _lines(self, message: Mapping[str, Any], containers: list[str]) -> Iterator[str]:
        """Yield what one message of the classic builder's stream says; keep the ids of what it made."""
        text = str(message.get("stream") or message.get("error") or message.get("status") or "")
        for line in text.splitlines():
            if not line.strip():
                continue
            yield line.rstrip()
            arrow, _, short = line.strip().partition(" ")
            # Podman's arrow is shorter, and so are its ids.
            if arrow in ("--->", "-->") and _SHORT_ID.fullmatch(short):
                self._keep(short)
            elif arrow == "--->" and short.startswith("Running in "):
                containers.append(short.removeprefix("Running in "))

    def _remove_container(self, container: str) -> None:
        deadline = time.monotonic() + REMOVAL_PATIENCE_S
        while time.monotonic() < deadline:
            try:
                self.engine.api.remove_container(container, force=True, v=True)
            except docker.errors.NotFound:
                return
            except docker.errors.APIError:
                # The engine is about to remove it itself.
                time.sleep(0.1)

    def _keep(self, short: str) -> None:
        with suppress(docker.errors.APIError, SeatrialError):
            found = self.engine.image(short)
            if found and found["Id"] not in self._before:
                self._made[found["Id"]] = None


@contextmanager
def building(engine: Engine, *, builder: str | None = None) -> Iterator[Builder]:
    """Give a builder for the length of a block, BuildKit's where possible; at its end only the built images are left.

    Args:
        engine: where to build.
        builder: `buildkit` or `classic` to force one.

    Raises:
        ToolMissing: BuildKit is asked for, and no `docker` command here can build with it on this engine.

    """
    client = None if builder == CLASSIC else buildkit_client(engine)
    if builder == BUILDKIT and client is None:
        raise ToolMissing(
            "No `docker` command on PATH can build with BuildKit on this engine.",
            "Install docker-buildx-plugin, or leave the builder to Seatrial.",
        )
    made = Builder(engine, client)
    try:
        yield made
    finally:
        made.clean()


@contextmanager
def _archive(request: BuildRequest) -> Iterator[tuple[IO[bytes], str]]:
    """Give the context as the classic builder takes it, and the Dockerfile's name in it.

    The Dockerfile has to travel in the archive; an ignore file that names both of them keeps them out of the context
    itself, so that `COPY . .` copies what it does with BuildKit.
    """
    name = f".dockerfile-{request.dockerfile.name}"
    ignore = request.context / IGNORE_FILE
    patterns = ignore.read_text("utf-8").splitlines() if ignore.is_file() else []
    patterns = [pattern.strip() for pattern in patterns if pattern.strip() and not pattern.startswith("#")]
    kept = exclude_paths(str(request.context), [*patterns, IGNORE_FILE])
    extra = [(IGNORE_FILE, f"{IGNORE_FILE}\n{name}\n"), (name, request.dockerfile.read_text("utf-8"))]
    with tempfile.TemporaryFile() as file:
        create_archive(str(request.context), files=sorted(kept), fileobj=file, extra_files=extra)
        file.seek(0)
        yield file, name


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")


def _images(engine: Engine) -> frozenset[str]:
    with told("listing its images"):
        return frozenset(str(image["Id"]) for image in engine.api.images(all=True))


def _writer(log: IO[str], last: deque[str], on_line: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that takes a line; the `docker` command's two outputs call it from two threads."""
    lock = threading.Lock()

    def write(line: str) -> None:
        line = _COLOUR.sub("", line)
        with lock:
            if line.strip():
                last.append(line)
            log.write(line + "\n")
            log.flush()
            on_line(line)

    return write
