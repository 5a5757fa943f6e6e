"""From a component's package URL to the package that sources of advisories know; pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from packageurl import PackageURL

from harness.model import Component
from security.advisories.interface import Distribution, Package
from security.advisories.records import normal_name

NOT_PACKAGES = ("operating-system", "file")
DISTRIBUTIONS = {"debian": "Debian", "ubuntu": "Ubuntu", "alpine": "Alpine"}
NO_PURL = "unknown"
"""The ecosystem of components without a usable package URL."""


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """The packages among an image's components, and those components that are no package of any ecosystem."""

    packages: tuple[Package, ...]
    unknown: tuple[str, ...]
    """Name and version of each."""


def parse_os_release(text: str) -> Distribution | None:
    """Read an os-release file (os-release(5)); None where it names no distribution."""
    values: dict[str, str] = {}
    for line in text[:65_536].splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and re.fullmatch(r"[A-Z_]+", key):
            try:
                values[key] = "".join(shlex.split(value))
            except ValueError:
                values[key] = value.strip("\"'")
    if not re.fullmatch(r"[a-z0-9._-]+", values.get("ID", "")):
        return None
    return Distribution(
        id=values["ID"], version=values.get("VERSION_ID", ""), codename=values.get("VERSION_CODENAME", "")
    )


def sort_components(components: Sequence[Component], distribution: Distribution | None) -> Sorted:
    """Read every component's purl; the same package found twice counts once."""
    packages: dict[str, Package] = {}
    unknown: list[str] = []
    for component in components:
        if component.type in NOT_PACKAGES:
            continue
        try:
            package = to_package(component.purl, distribution)
        except ValueError:
            unknown.append(f"{component.name} {component.version}".strip())
        else:
            packages.setdefault(package.purl, package)
    return Sorted(packages=tuple(packages.values()), unknown=tuple(unknown))


def to_package(text: str, distribution: Distribution | None) -> Package:
    """Read one purl.

    Raises:
        ValueError: it is none, or has no version.

    """
    purl = PackageURL.from_string(text)
    if not purl.version:
        raise ValueError("a purl without a version says nothing that can be compared")
    qualifiers = purl.qualifiers if isinstance(purl.qualifiers, dict) else {}
    ecosystem = _ecosystem(purl, qualifiers.get("distro", ""), distribution)
    name = normal_name(ecosystem, purl.name)
    source, source_version = _source(purl, qualifiers.get("upstream", ""))
    return Package(
        purl=text,
        ecosystem=ecosystem,
        name=name,
        version=purl.version,
        source=source if source else name,
        source_version=source_version,
        architecture=qualifiers.get("arch", ""),
    )


def _ecosystem(purl: PackageURL, distro: str, distribution: Distribution | None) -> str:
    if purl.type == "pypi":
        return "PyPI"
    name = DISTRIBUTIONS.get(purl.namespace or "") if purl.type in ("deb", "apk") else None
    if name is None:
        return f"{purl.type}/{purl.namespace}" if purl.type in ("deb", "apk", "rpm") and purl.namespace else purl.type
    release = distro.removeprefix(f"{purl.namespace}-") if distro.startswith(f"{purl.namespace}-") else ""
    if not release and distribution is not None and distribution.id == purl.namespace:
        release = distribution.version
    parts = release.split(".")
    if not parts[0].isdigit():
        return name
    if name == "Debian":
        return f"Debian:{parts[0]}"
    if name == "Alpine":
        return f"Alpine:v{'.'.join(parts[:2])}"
    return f"Ubuntu:{release}" + (":LTS" if len(parts) > 1 and int(parts[0]) % 2 == 0 and parts[1] == "04" else "")


def _source(purl: PackageURL, upstream: str) -> tuple[str, str]:
    """Return name and version of the source package; syft writes `upstream=NAME` or `upstream=NAME@VERSION`.

    It leaves the version out where it is the binary package's own. A binary package that was built anew (`+b1`) has
    its source's version in `upstream`.
    """
    version = str(purl.version)
    if purl.type not in ("deb", "apk"):
        return "", version
    name, at, named_version = upstream.partition("@")
    return name or str(purl.name), named_version if at and named_version else version
