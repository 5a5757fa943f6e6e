"""Containers and images through the engine's API: started with labels, watched, and always removed."""

from __future__ import annotations

import itertools
import platform
import re
import socket as _socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import IO, Any, cast

import docker
import docker.errors
from docker.models.containers import Container as DockerContainer
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from harness.engine import labels
from harness.engine.run_profiles import host_options, uses_seccomp
from harness.engine.stats import ContainerStats, parse_stats
from harness.errors import EngineMissing, SeatrialError, UnreadableOutput
from harness.model import RunProfile

Container = DockerContainer
"""A container's handle, for other rooms' annotations: only this folder imports the SDK."""

API_TIMEOUT_S = 120
OWN_HOSTNAME = "seatrial"
"""What a container without a network calls itself, and finds in its own hosts file."""
NO_HEALTHCHECK = {"test": ["NONE"]}


class EngineRefused(SeatrialError):
    """The engine answered a request with an error."""

    exit_code = 3


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """One container to start. `network` is `none`, `bridge`, `host`, a network's name or `container:ID`."""

    image: str
    role: labels.Role
    command: Sequence[str] | None = None
    """Replaces the image's command; None leaves entry point and command as they are."""
    entrypoint: Sequence[str] | None = None
    variant: str | None = None
    profile: RunProfile | None = None
    """None: locked down as Seatrial's own containers are (read-only, no capabilities)."""
    network: str = "none"
    cpuset: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    healthcheck: bool = False
    stdin: bool = False
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Last words of the caller to the SDK's `containers.create`."""


@dataclass(frozen=True, kw_only=True)
class ContainerState:
    """What the engine says of a container now."""

    running: bool
    exit_code: int
    oom_killed: bool
    restarts: int
    started_at: str
    user: str = ""
    """Whom it runs as; empty for root where neither image nor run profile name anybody."""


class Engine:
    """A reachable engine, and the things that one run makes in it.

    Args:
        client: the SDK's client, its connection proven.
        run_id: goes into the labels of all that is made.
        source: how the engine was found, in a word or two.
        host: the address, as `docker --host` takes it.

    """

    def __init__(self, client: docker.DockerClient, *, run_id: str, source: str, host: str) -> None:
        self.client = client
        self.run_id = run_id
        self.source = source
        self.host = host
        self._serial = itertools.count()
        self._users: dict[str, str] = {}

    @property
    def api(self) -> docker.APIClient:
        """The SDK's low-level client."""
        return self.client.api

    @cached_property
    def is_podman(self) -> bool:
        """Whether it is Podman behind Docker's API, which has no BuildKit."""
        return any("podman" in str(part.get("Name", "")).lower() for part in self.version().get("Components") or ())

    @cached_property
    def machine(self) -> str:
        """The engine's machine as `uname -m` says there, which need not be this machine's."""
        return machine_name(str(self.info().get("Architecture") or platform.machine()))

    def new_name(self, role: labels.Role, kind: str = "") -> str:
        """Return a name that no other container, volume or network of this run has."""
        parts = (self.run_id, str(role), kind, str(next(self._serial)))
        return labels.RUNTIME_PREFIX + "-".join(part for part in parts if part)

    def info(self) -> dict[str, Any]:
        """Return the engine's own description of itself (`docker info`)."""
        with told("describing itself"):
            return dict(self.client.info())

    def version(self) -> dict[str, Any]:
        """Return the engine's version document (`docker version`)."""
        with told("giving its version"):
            return dict(self.client.version())

    def create(self, spec: ContainerSpec) -> DockerContainer:
        """Create a container, labelled as this run's, and not yet started."""
        by_path = uses_seccomp(spec.profile) and self.is_podman
        own = self._user_of(spec.image) if spec.profile is not None and spec.profile.user_if_root else ""
        options: dict[str, Any] = host_options(spec.profile, spec.network, image_user=own, seccomp_by_path=by_path)
        options.update(
            name=self.new_name(spec.role),
            command=list(spec.command) if spec.command is not None else None,
            labels=labels.of(self.run_id, spec.role, spec.variant),
            environment=dict(spec.env),
            volumes={name: dict(how) for name, how in spec.volumes.items()},
            network_mode=spec.network,
            stdin_open=spec.stdin,
        )
        if spec.network == "none":
            # As on any other network: without it, musl asks a name server that is not there, and for 5 s each time.
            options.update(hostname=OWN_HOSTNAME, extra_hosts={OWN_HOSTNAME: "127.0.0.1"})
        if spec.entrypoint is not None:
            options["entrypoint"] = list(spec.entrypoint)
        if spec.cpuset is not None:
            options["cpuset_cpus"] = spec.cpuset
        if not spec.healthcheck:
            options["healthcheck"] = NO_HEALTHCHECK
        options.update(spec.overrides)
        try:
            with told(f"creating a container of {spec.image}"):
                return self.client.containers.create(spec.image, **options)
        except docker.errors.NotFound as error:
            # As where another command has built the image anew meanwhile, and removed the old one.
            raise EngineRefused(
                f"The engine lacks what a container of {spec.image} needs: {error.explanation or error}",
                "Run the command again: what is missing is made anew.",
            ) from error

    def _user_of(self, image: str) -> str:
        """Return an image's own user, asked once for each: a start's time is measured, and this is no part of it."""
        if image not in self._users:
            found = self.image(image) or {}
            user = str((found.get("Config") or {}).get("User") or "")
            if not found or not image.startswith("sha256:"):
                # A tag may be given to another image while this lives.
                return user
            self._users[image] = user
        return self._users[image]

    def start(self, spec: ContainerSpec) -> DockerContainer:
        """Create a container and start it; a container that will not start is removed before the error is raised."""
        container = self.create(spec)
        try:
            with told(f"starting a container of {spec.image}"):
                container.start()
        except BaseException:
            self.remove(container)
            raise
        return container

    @contextmanager
    def running(self, spec: ContainerSpec) -> Iterator[DockerContainer]:
        """Start a container for the length of a block; it is killed and removed at the block's end, come what may."""
        container = self.start(spec)
        try:
            yield container
        finally:
            self.remove(container)

    def remove(self, container: DockerContainer) -> None:
        """Kill and remove a container and its anonymous volumes; one that is gone already is no error."""
        with suppress(docker.errors.NotFound), told(f"removing the container {container.name}"):
            container.remove(force=True, v=True)

    def stop(self, container: DockerContainer, *, timeout_s: int) -> None:
        """Send SIGTERM (or the image's own stop signal), and SIGKILL after `timeout_s`; return when it has ended."""
        with told(f"stopping the container {container.name}"):
            container.stop(timeout=timeout_s)

    def state(self, container: DockerContainer) -> ContainerState:
        """Return what the engine says of a container now."""
        with told(f"inspecting the container {container.name}"):
            container.reload()
        state = container.attrs["State"]
        return ContainerState(
            running=bool(state["Running"]),
            exit_code=int(state["ExitCode"]),
            oom_killed=bool(state.get("OOMKilled")),
            restarts=int(container.attrs.get("RestartCount", 0)),
            started_at=str(state.get("StartedAt", "")),
            user=str((container.attrs.get("Config") or {}).get("User") or ""),
        )

    def stats(self, container: DockerContainer) -> ContainerStats:
        """Read a container's cgroup once through the API: at once the first time, then when the engine looks again.

        Docker reads it once a second while somebody asks; a second call within that second waits for the next reading.
        """
        with told(f"reading the statistics of {container.name}"):
            return parse_stats(self.api.stats(str(container.id), stream=False, one_shot=True))

    def logs(self, container: DockerContainer, *, stdout: bool = True, stderr: bool = True) -> str:
        """Return what a container has printed so far."""
        with told(f"reading the log of {container.name}"):
            raw = container.logs(stdout=stdout, stderr=stderr)
        return bytes(raw).decode("utf-8", errors="replace")

    def follow(self, container: DockerContainer) -> Iterator[str]:
        """Yield the lines of a container's standard output as they come, to its end."""
        with told(f"following the log of {container.name}"):
            pending = b""
            for chunk in container.logs(stdout=True, stderr=False, stream=True, follow=True):
                *lines, pending = (pending + chunk).split(b"\n")
                yield from (line.decode("utf-8", errors="replace") for line in lines)
            if pending:
                yield pending.decode("utf-8", errors="replace")

    def run_to_end(self, spec: ContainerSpec, *, timeout_s: float) -> tuple[int, str, str]:
        """Run a container to its end; return exit code, standard output and standard error.

        Raises:
            EngineRefused: it did not end within `timeout_s`, or the engine refused it.

        """
        with self.running(spec) as container:
            try:
                code = int(container.wait(timeout=timeout_s)["StatusCode"])
            except RequestException as error:
                raise EngineRefused(f"The container {container.name} did not end within {timeout_s:g} s.") from error
            return code, self.logs(container, stderr=False), self.logs(container, stdout=False)

    def exec_python(self, container: DockerContainer, script: str, *, python: str = "python3") -> tuple[int, str]:
        """Run a script in a container from standard input: needs no shell, and copies nothing in.

        Returns the exit code and both outputs together.
        """
        with told(f"running a script in {container.name}"):
            handle = self.api.exec_create(container.id, [python, "-"], stdin=True)["Id"]
            connection: Any = self.api.exec_start(handle, socket=True)
            raw = getattr(connection, "_sock", connection)
            try:
                raw.sendall(script.encode())
                raw.shutdown(_socket.SHUT_WR)
                output = b"".join(_frames(connection))
            finally:
                # The first is but a file over the second, which would stay open.
                connection.close()
                raw.close()
            return int(self.api.exec_inspect(handle)["ExitCode"]), output.decode("utf-8", errors="replace")

    def image(self, reference: str) -> dict[str, Any] | None:
        """Return an image's inspect document, or None where the engine has no such image."""
        try:
            with told(f"inspecting the image {reference}"):
                return dict(self.api.inspect_image(reference))  # type: ignore[no-untyped-call]
        except docker.errors.ImageNotFound:
            return None

    def images_with(self, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the engine's entries (`Id`, `RepoTags`, `Labels`) of all images that carry these labels."""
        with told("listing its images"):
            return list(self.api.images(filters={"label": [f"{name}={value}" for name, value in wanted.items()]}))

    def tag(self, reference: str, repository: str, tag: str) -> None:
        """Give an image one more tag, taking it from whatever image had it."""
        with told(f"tagging {reference}"):
            self.api.tag(reference, repository, tag)

    def remove_image(self, reference: str) -> bool:
        """Remove a tag, and the image with its last one; False where it is gone or a container uses it."""
        try:
            with told(f"removing the image {reference}"):
                self.api.remove_image(reference)
        except (docker.errors.NotFound, EngineRefused):
            return False
        return True

    def save(self, reference: str) -> Iterator[bytes]:
        """Yield the bytes of an image's archive (`docker save`)."""
        with told(f"saving the image {reference}"):
            yield from self.api.get_image(reference)

    def export(self, container: DockerContainer) -> Iterator[bytes]:
        """Yield the tar stream of a container's file system (`docker export`)."""
        with told(f"exporting the container {container.name}"):
            yield from cast("Iterator[bytes]", container.export())

    def load_filesystem(self, tar: IO[bytes], *, tag: str, changes: Sequence[str]) -> str:
        """Make a one-layer image of a file system's tar stream (`docker import`); return its id."""
        repository, _, name = tag.rpartition(":")
        with told(f"importing {tag}"):
            said = self.api.import_image_from_data(tar.read(), repository=repository, tag=name, changes=list(changes))
        found = self.image(tag)
        if found is None and (made := re.search(r"sha256:[0-9a-f]{64}", str(said))):
            # Podman names every import `latest`, whatever it is told.
            self.tag(made[0], repository, name)
            self.remove_image(f"{repository}:latest")
            found = self.image(tag)
        if found is None:
            raise UnreadableOutput(f"The engine imported {tag} but does not have it.")
        return str(found["Id"])

    def inventory(self) -> dict[str, frozenset[str]]:
        """Return the ids of every container, image (intermediate ones too), volume and network of the engine."""
        with told("listing what it has"):
            return {
                "containers": frozenset(c.id for c in self.client.containers.list(all=True, ignore_removed=True)),
                "images": frozenset(i["Id"] for i in self.api.images(all=True)),
                "volumes": frozenset(v.name for v in self.client.volumes.list()),
                "networks": frozenset(n.id for n in self.client.networks.list()),
            }


def machine_name(architecture: str) -> str:
    """Return the name that `uname -m` has for an architecture, which Podman and Go name otherwise."""
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(architecture, architecture)


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn the SDK's errors into one line for the user; "not found" stays, for callers that expect it.

    Raises:
        EngineMissing: the engine no longer answers.
        EngineRefused: it answered with an error.

    """
    try:
        yield
    except docker.errors.NotFound:
        raise
    except docker.errors.APIError as error:
        raise EngineRefused(f"The engine failed at {doing}: {error.explanation or error}") from error
    except (RequestException, HTTPError, ConnectionError, docker.errors.DockerException) as error:
        raise EngineMissing(
            f"The engine stopped answering at {doing}.",
            "See `seatrial engine status`, then run again: it goes on from there.",
        ) from error


def _frames(connection: Any) -> Iterator[bytes]:
    """Take the payloads out of the engine's multiplexed stream: 8 bytes of header (stream, length), then data."""
    read: Callable[[int], bytes] = connection.read
    while len(header := read(8)) == 8:
        left = int.from_bytes(header[4:], "big")
        while left and (part := read(left)):
            left -= len(part)
            yield part
