"""What is built: variants, bases, images and what is in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from harness.model.base import Model, NotMeasured


class Variant(Model):
    """One Dockerfile of the app: `images/NAME.Dockerfile`."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]+$")
    dockerfile: str
    """Path of the Dockerfile, relative to the project's folder where it lies inside it."""
    public_bases: dict[str, str]
    """ARG name -> the public image that is its default; the last one is the final stage's base.

    A base that is no ARG's value stands under `FROM REFERENCE`.
    """
    context_dir: str | None = None
    """A folder `images/NAME.context` laid over the build context, in place of lock and wheels."""


class BaseSource(StrEnum):
    """Where a base image came from."""

    REGISTRY = "registry"
    PACKAGES = "packages"
    ENGINE = "engine"
    """The engine had it, and no registry's digest of it."""


class Interpreter(Model):
    """The Python inside an image, as it describes itself."""

    implementation: str
    version: str
    compiler: str
    libc: str
    config_args: str
    """`sysconfig`'s CONFIG_ARGS: the build flags, PGO and LTO among them."""
    pgo: bool
    lto: bool


class BaseImage(Model):
    """A base image as it was used: the public one by digest, or a stand-in made from packages."""

    name: str
    public: str
    """The public image's reference."""
    reference: str
    """The reference that the build used."""
    digest: str
    """The engine's image id, or the registry digest of a pulled one."""
    source: BaseSource
    stand_in_for: str | None = None
    """For a made base: what it stands in for, and how it differs, in one sentence."""
    wheelhouse_bytes: int = 0
    """Bytes in the base that only serve an offline build; reported apart from an image's size.

    They take the place of what pip would download, so that the download cache that a plain `pip install` leaves in its
    layer, about as large, is not there.
    """


class Layer(Model):
    """One layer: its uncompressed digest, its sizes, and the instruction that made it."""

    diff_id: str
    size_bytes: int
    """Length of the layer's uncompressed tar stream."""
    compressed_bytes: int
    """The same stream through gzip, as a registry would send it."""
    created_by: str


class HealthCheck(Model):
    """An image's own health check; times in seconds."""

    test: tuple[str, ...]
    interval_s: float | None = None
    timeout_s: float | None = None
    start_period_s: float | None = None
    retries: int | None = None


class Image(Model):
    """A built image and what its building took."""

    variant: str
    reference: str
    digest: str
    """The engine's image id: the hash of the image's configuration."""
    created_at: datetime
    size_bytes: int
    """Uncompressed: the sum of the layers."""
    compressed_bytes: int
    wheelhouse_bytes: int
    """Part of `size_bytes` that only serves the offline build of this variant."""
    layers: tuple[Layer, ...]
    build_cold_seconds: float | NotMeasured
    build_cached_seconds: float | NotMeasured
    built_in_parallel: int
    """How many builds, at the most, shared the cores while this one was timed without cache."""
    builder: str
    """`buildkit` or `classic`."""
    built_at: datetime | None = None
    """When its build was timed; None in older records."""
    built_earlier: bool = False
    """Whether an earlier command built and timed it, from the same inputs, and this one found it there."""
    user: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    exposed_ports: tuple[str, ...]
    healthcheck: HealthCheck | None
    labels: dict[str, str]
    base: BaseImage
    """The final stage's base."""
    build_bases: tuple[BaseImage, ...] = ()
    """Bases of the other stages."""
    interpreter: Interpreter | NotMeasured
