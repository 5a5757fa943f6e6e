"""What a source of vulnerabilities is: what it is asked about, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.model import Advisory


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """The distribution an image says it is, from its os-release file."""

    id: str
    version: str = ""
    """VERSION_ID: `11`, `3.23.6`."""
    codename: str = ""


@dataclass(frozen=True, kw_only=True)
class Package:
    """One component as sources of advisories know it."""

    purl: str
    """The component's own; it identifies the package in a source's answer."""
    ecosystem: str
    """In OSV's scheme where it has one: `PyPI`, `Debian:11`, `Alpine:v3.23`; else the purl's type."""
    name: str
    """In the ecosystem's own normal form."""
    version: str
    source: str
    """The source package that a distribution built it from; elsewhere the name again."""
    source_version: str
    architecture: str = ""


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What sources are asked about: all packages of one image."""

    packages: tuple[Package, ...]
    distribution: Distribution | None = None
    sbom: Path | None = None
    """The CycloneDX file that the packages came from, for programs that read one."""

    def of(self, ecosystem: str) -> tuple[Package, ...]:
        """Return the packages of one ecosystem."""
        return tuple(one for one in self.packages if one.ecosystem == ecosystem)

    @property
    def ecosystems(self) -> tuple[str, ...]:
        """The ecosystems that have a package here, sorted."""
        return tuple(sorted({one.ecosystem for one in self.packages}))


@dataclass(frozen=True, kw_only=True)
class Match:
    """One advisory that applies to one package."""

    purl: str
    names: frozenset[str]
    """All that this advisory calls the vulnerability; two matches of a package that share a name are one."""
    advisory: Advisory
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class Covered:
    """A source looked up every package of an ecosystem, but for what the remarks name."""

    as_of: str
    """Date of the source's data."""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NotCovered:
    """A source could not look up an ecosystem that it knows, and why."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a source says of an inventory."""

    matches: tuple[Match, ...] = ()
    coverage: Mapping[str, Covered | NotCovered] = field(default_factory=dict)
    """By ecosystem. One that is not in it is none of the source's business."""


class Source(Protocol):
    """One source of vulnerabilities."""

    @property
    def name(self) -> str:
        """Its name in results."""

    def lookup(self, inventory: Inventory) -> Answer:
        """Say which advisories apply.

        Raises:
            SeatrialError: nothing could be looked up; the message says why.

        """
