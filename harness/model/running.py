"""How a container is started."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.model.base import Model


class Ulimit(Model):
    """One resource limit of a container's processes; -1 is no limit."""

    name: str = Field(pattern=r"^[a-z]+$")
    soft: int = Field(ge=-1)
    hard: int = Field(ge=-1)

    @model_validator(mode="after")
    def _ordered(self) -> Ulimit:
        if self.hard != -1 and not -1 < self.soft <= self.hard:
            raise ValueError(f"the soft limit {self.soft} is above the hard one, {self.hard}")
        return self


User = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$")]
"""`USER` or `USER:GROUP`, each a number or a name."""


Capability = Annotated[str, Field(pattern=r"^[A-Z][A-Z_]+$")]


Port = Annotated[int, Field(ge=1, le=65_535)]


class RunProfile(Model):
    """How a container is started: flags, limits, user. A file in `harness/run_profiles/`."""

    name: str
    title: str
    read_only: bool = False
    tmpfs: dict[Annotated[str, Field(pattern=r"^/.+")], str] = {}
    """Mount point -> mount options."""
    cap_drop: tuple[Capability, ...] = ()
    cap_add: tuple[Capability, ...] = ()
    cap_add_because: str = ""
    """What needs them, for whoever has to say yes; without it, adding any fails CIS 5.4."""
    no_new_privileges: bool = False
    seccomp: str = "default"
    """`default`, `unconfined`, or the path of a profile's JSON."""
    user: User | None = None
    """Overrides the image's user; None leaves the image's own."""
    user_if_root: User | None = None
    """Overrides the image's user only where that is root; for an image that has no user of its own."""
    pids_limit: int | None = Field(default=None, ge=1, le=4_194_304)
    memory_bytes: int | None = Field(default=None, ge=6 << 20)
    """The engine takes no less than 6 MiB."""
    cpus: float | None = Field(default=None, ge=0.01, le=4096)
    ulimits: tuple[Ulimit, ...] = ()
    restart: str = Field(default="no", pattern=r"^(no|on-failure:[1-9][0-9]{0,3})$")
    """`no`, or `on-failure:N`; outside of trials only, where a restart makes the trial invalid."""
    healthcheck: bool = True
    """Whether the image's health check runs; always off during trials."""
    network: Literal["none", "bridge", "host"] = "none"
    sysctls: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-zA-Z0-9_-]+)+$")], str] = {}
    """Kernel settings of the container's own namespaces; `net.*` is left out where it joins another's network."""
    publish: dict[Annotated[str, Field(pattern=r"^[0-9]{1,5}(/(tcp|udp))?$")], Port] = {}
    """Container port -> host port, as `docker run -p`; only where the network is `bridge`."""

    @model_validator(mode="after")
    def _fits(self) -> RunProfile:
        if self.publish and self.network != "bridge":
            raise ValueError(f'`publish` wants the network "bridge", not "{self.network}"')
        return self
