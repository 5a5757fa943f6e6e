"""A software bill of materials to components, and to the ecosystems that advisories are looked up in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from packageurl import PackageURL

from harness.errors import UnreadableOutput
from harness.model import Assessment, Component, Image, Interpreter
from security.licences import cleaned
from security.package_databases import installed, normalised
from security.subjects import FileSystem

NO_SOURCE = "no source of advisories is configured"
_OSV_NAMES = {"pypi": "PyPI", "npm": "npm", "golang": "Go", "gem": "RubyGems", "cargo": "crates.io", "maven": "Maven"}
_OSV_DISTROS = {"debian": "Debian", "alpine": "Alpine", "ubuntu": "Ubuntu"}
_NOT_PACKAGES = ("operating-system", "file")
_WINDOWS_LAUNCHERS = ("*/distlib/*.exe", "*/setuptools/*.exe")
"""Programs that pip and setuptools carry for another system; syft takes them for .NET packages."""


def components(document: Mapping[str, Any], image: Image, files: FileSystem | None = None) -> tuple[Component, ...]:
    """Return the packages of a CycloneDX document, by purl; the interpreter is one even where no database names it.

    Args:
        document: the bill of materials.
        image: whose it is; gives the order of the layers, and the interpreter.
        files: the image's files; their package databases complete the licences.

    Raises:
        UnreadableOutput: a component has no name, or its purl is none.

    """
    licences = {(str(one.kind), one.name): one.licence for one in installed(files)} if files is not None else {}
    order = {layer.diff_id: number for number, layer in enumerate(image.layers)}
    found: dict[tuple[str, str, str], Component] = {}
    for entry in document.get("components", []):
        if entry.get("type") not in _NOT_PACKAGES and not _is_launcher(entry):
            one = _component(entry, image.variant, order, licences)
            key = (one.purl, one.name, one.version)
            # What is there twice came with the lower layer.
            if key not in found or _height(one, order) < _height(found[key], order):
                found[key] = one
    interpreter = image.interpreter
    if isinstance(interpreter, Interpreter) and not any(_is_interpreter(one) for one in found.values()):
        one = _interpreter(interpreter, image.variant)
        found[one.purl, one.name, one.version] = one
    return tuple(found[key] for key in sorted(found))


def ecosystem(component: Component) -> str:
    """Return the ecosystem of a component by OSV's names (`PyPI`, `Debian:13`, `Alpine:v3.23`), or its purl's type."""
    if not component.purl:
        return "unknown"
    purl = PackageURL.from_string(component.purl)
    if purl.type in ("deb", "apk"):
        distro, _, release = str(_qualifiers(purl).get("distro", "")).partition("-")
        name = _OSV_DISTROS.get(distro, distro or str(purl.namespace or purl.type))
        if name == "Alpine":
            release = "v" + ".".join(release.split(".")[:2])
        return f"{name}:{release}" if release else name
    return _OSV_NAMES.get(purl.type, purl.type)


def unassessed(found: Sequence[Component]) -> tuple[Assessment, ...]:
    """Return one row for each ecosystem in an image, each saying that nothing has looked it up."""
    return tuple(
        Assessment(ecosystem=name, assessed_by=None, as_of=None, reason=NO_SOURCE)
        for name in sorted({ecosystem(one) for one in found})
    )


def _component(
    entry: Mapping[str, Any], variant: str, order: Mapping[str, int], licences: Mapping[tuple[str, str], str]
) -> Component:
    name, purl = entry.get("name"), entry.get("purl") or ""
    if not isinstance(name, str) or not name or not isinstance(purl, str):
        raise UnreadableOutput("A component of the bill of materials has no name.")
    parsed = None
    if purl:
        try:
            parsed = PackageURL.from_string(purl)
        except ValueError as error:
            raise UnreadableOutput(
                f"A component of the bill of materials has a purl that is none: {purl[:100]!r}."
            ) from error
    return Component(
        variant=variant,
        name=name,
        version=str(entry.get("version") or ""),
        purl=purl,
        type=str(entry.get("type") or "library"),
        licences=_licences(entry.get("licenses") or [], parsed, licences),
        layer_diff_id=_first_layer(entry.get("properties") or [], order),
    )


def _height(one: Component, order: Mapping[str, int]) -> int:
    return order.get(one.layer_diff_id or "", len(order))


def _is_launcher(entry: Mapping[str, Any]) -> bool:
    paths = [
        str(one.get("value"))
        for one in entry.get("properties") or []
        if str(one.get("name", "")).startswith("syft:location:") and str(one.get("name")).endswith(":path")
    ]
    return bool(paths) and all(any(fnmatchcase(path, pattern) for pattern in _WINDOWS_LAUNCHERS) for path in paths)


def _licences(
    entries: Sequence[Mapping[str, Any]], purl: PackageURL | None, known: Mapping[tuple[str, str], str]
) -> tuple[str, ...]:
    found = set()
    for entry in entries:
        licence = entry.get("license") or {}
        word = entry.get("expression") or licence.get("id") or licence.get("name")
        if word:
            found.add(str(word))
    if purl is None:
        return tuple(sorted(found))
    name = normalised(purl.name) if purl.type == "pypi" else purl.name
    return cleaned(purl.type, found, known.get((purl.type, name), ""))


def _first_layer(properties: Sequence[Mapping[str, Any]], order: Mapping[str, int]) -> str | None:
    """Return the lowest layer that holds a file of the package: a later one may only have touched the database."""
    layers = {
        str(one.get("value"))
        for one in properties
        if str(one.get("name", "")).startswith("syft:location:") and str(one.get("name")).endswith(":layerID")
    }
    known = [layer for layer in layers if layer in order]
    return min(known, key=lambda layer: order[layer]) if known else None


def _is_interpreter(one: Component) -> bool:
    purl = PackageURL.from_string(one.purl) if one.purl else None
    if purl is None:
        return False
    if purl.type == "generic":
        return purl.name in ("python", "cpython")
    # Debian's package is the interpreter's program itself: python3.13-minimal. Alpine's is python3.
    return (purl.type == "deb" and purl.name.startswith("python3.") and purl.name.endswith("-minimal")) or (
        purl.type == "apk" and purl.name == "python3"
    )


def _interpreter(interpreter: Interpreter, variant: str) -> Component:
    version = interpreter.version.split()[0]
    purl = PackageURL(type="generic", name=interpreter.implementation.lower(), version=version).to_string()
    return Component(variant=variant, name=interpreter.implementation, version=version, purl=purl, type="application")


def _qualifiers(purl: PackageURL) -> Mapping[str, str]:
    return purl.qualifiers if isinstance(purl.qualifiers, Mapping) else {}
