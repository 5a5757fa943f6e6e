"""What the container checks read: a container as it runs, parsed from the engine's inspect document; frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.errors import UnreadableOutput


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One mount: `type` is bind, volume or tmpfs; `source` a path of the machine for a bind."""

    type: str
    source: str
    destination: str
    writable: bool = True
    propagation: str = ""


@dataclass(frozen=True, kw_only=True)
class PublishedPort:
    """One published port. `host_ip` is empty, and `host_port` 0, where the engine chooses."""

    container_port: str
    """As the engine writes it: 5000/tcp."""
    host_ip: str = ""
    host_port: int = 0


@dataclass(frozen=True, kw_only=True)
class ExecSession:
    """A session that is being executed in the container."""

    privileged: bool = False
    user: str = ""


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What the engine says of itself."""

    swarm: str = "inactive"
    security_options: tuple[str, ...] = ("name=seccomp,profile=default",)
    cores: int = 0
    """0 where it does not say."""


@dataclass(frozen=True, kw_only=True)
class RunningContainer:
    """A container's configuration and state. None stands for what the engine did not say."""

    image_id: str = ""
    image_reference: str = ""
    tag_points_to: str | None = None
    """The id of the image that the reference names now; None where it is unknown."""
    user: str = ""
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    argued_capabilities: tuple[str, ...] = ()
    """Capabilities that the user has given reasons for."""
    security_opt: tuple[str, ...] = ()
    apparmor_profile: str = ""
    process_label: str = ""
    mounts: tuple[Mount, ...] = ()
    devices: tuple[str, ...] = ()
    published: tuple[PublishedPort, ...] = ()
    publish_all: bool = False
    exposed_ports: tuple[str, ...] = ()
    network_mode: str = "none"
    networks: tuple[str, ...] = ()
    pid_mode: str = ""
    ipc_mode: str = "private"
    uts_mode: str = ""
    userns_mode: str = ""
    cgroup_parent: str = ""
    memory_bytes: int = 0
    cpus: float | None = None
    """The quota, in cores."""
    cpuset: str = ""
    cpu_shares: int = 0
    pids_limit: int | None = None
    ulimits: tuple[str, ...] = ()
    """Names of those that are set."""
    read_only_root: bool = False
    restart: str = "no"
    restart_at_most: int = 0
    """0 is without end."""
    healthcheck: tuple[str, ...] = ()
    health: str | None = None
    """The state of health; None where there is no check."""
    processes: tuple[str, ...] | None = None
    """Command lines."""
    sessions: tuple[ExecSession, ...] | None = None
    log: str | None = None
    engine: EngineFacts = field(default_factory=EngineFacts)

    def security_option(self, name: str) -> str | None:
        """Return the last value given to a security option by `=` or `:`; empty for a bare name, None without one."""
        found = None
        for option in self.security_opt:
            if option == name:
                found = ""
            elif option.startswith((name + "=", name + ":")):
                found = option[len(name) + 1 :]
        return found


def parse(
    document: Mapping[str, Any],
    *,
    engine_info: Mapping[str, Any],
    processes: Sequence[str] | None,
    sessions: Iterable[Mapping[str, Any]] | None = None,
    log: str | None = None,
    tag_points_to: str | None = None,
    argued_capabilities: Sequence[str] = (),
) -> RunningContainer:
    """Read the engine's documents (Docker API 1.41, `GET /containers/ID/json` and `GET /info`).

    Raises:
        UnreadableOutput: the inspect document is not one.

    """
    try:
        host, config, state = document["HostConfig"], document["Config"], document["State"]
        settings = document.get("NetworkSettings") or {}
        restart = host.get("RestartPolicy") or {}
        return RunningContainer(
            image_id=str(document.get("Image") or ""),
            image_reference=str(config.get("Image") or ""),
            tag_points_to=tag_points_to,
            user=str(config.get("User") or ""),
            privileged=bool(host.get("Privileged")),
            cap_add=_capabilities(host.get("CapAdd")),
            cap_drop=_capabilities(host.get("CapDrop")),
            argued_capabilities=_capabilities(argued_capabilities),
            security_opt=tuple(host.get("SecurityOpt") or ()),
            apparmor_profile=str(document.get("AppArmorProfile") or ""),
            process_label=str(document.get("ProcessLabel") or ""),
            mounts=tuple(_mount(one) for one in document.get("Mounts") or ()),
            devices=tuple(_devices(host)),
            published=tuple(_published(host.get("PortBindings") or {})),
            publish_all=bool(host.get("PublishAllPorts")),
            exposed_ports=tuple(sorted(config.get("ExposedPorts") or ())),
            network_mode=str(host.get("NetworkMode") or "default"),
            networks=tuple(sorted(settings.get("Networks") or ())),
            pid_mode=str(host.get("PidMode") or ""),
            ipc_mode=str(host.get("IpcMode") or ""),
            uts_mode=str(host.get("UTSMode") or ""),
            userns_mode=str(host.get("UsernsMode") or ""),
            cgroup_parent=str(host.get("CgroupParent") or ""),
            memory_bytes=int(host.get("Memory") or 0),
            cpus=_cpus(host),
            cpuset=str(host.get("CpusetCpus") or ""),
            cpu_shares=int(host.get("CpuShares") or 0),
            pids_limit=host.get("PidsLimit"),
            ulimits=tuple(str(one["Name"]) for one in host.get("Ulimits") or ()),
            read_only_root=bool(host.get("ReadonlyRootfs")),
            restart=str(restart.get("Name") or "no"),
            restart_at_most=int(restart.get("MaximumRetryCount") or 0),
            healthcheck=tuple((config.get("Healthcheck") or {}).get("Test") or ()),
            health=(state.get("Health") or {}).get("Status"),
            processes=None if processes is None else tuple(processes),
            sessions=None if sessions is None else tuple(_session(one) for one in sessions),
            log=log,
            engine=EngineFacts(
                swarm=str((engine_info.get("Swarm") or {}).get("LocalNodeState") or "inactive"),
                security_options=tuple(engine_info.get("SecurityOptions") or ()),
                cores=int(engine_info.get("NCPU") or 0),
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableOutput(f"The engine's description of the container cannot be read: {error!r}") from error


def _capabilities(names: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(name.upper().removeprefix("CAP_") for name in names or ())


def _mount(one: Mapping[str, Any]) -> Mount:
    return Mount(
        type=str(one.get("Type") or ""),
        source=str(one.get("Source") or ""),
        destination=str(one.get("Destination") or ""),
        writable=bool(one.get("RW")),
        propagation=str(one.get("Propagation") or ""),
    )


def _devices(host: Mapping[str, Any]) -> Iterable[str]:
    for device in host.get("Devices") or ():
        yield f"Devices: {device.get('PathOnHost')} ({device.get('CgroupPermissions') or 'rwm'})"
    for rule in host.get("DeviceCgroupRules") or ():
        yield f"DeviceCgroupRules: {rule}"
    for request in host.get("DeviceRequests") or ():
        yield f"DeviceRequests: {request.get('Driver') or request.get('Capabilities')}"


def _published(bindings: Mapping[str, Any]) -> Iterable[PublishedPort]:
    for port, places in sorted(bindings.items()):
        for place in places or [dict[str, str]()]:
            yield PublishedPort(
                container_port=port,
                host_ip=str(place.get("HostIp") or ""),
                host_port=int(place.get("HostPort") or 0),
            )


def _cpus(host: Mapping[str, Any]) -> float | None:
    if host.get("NanoCpus"):
        return float(host["NanoCpus"]) / 1e9
    quota = host.get("CpuQuota") or 0
    return float(quota) / float(host.get("CpuPeriod") or 100_000) if quota > 0 else None


def _session(one: Mapping[str, Any]) -> ExecSession:
    process = one.get("ProcessConfig") or {}
    return ExecSession(privileged=bool(process.get("privileged")), user=str(process.get("user") or ""))
