"""What the sources that are outside programs share: a bill of materials to read, and answers traced to packages."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packageurl import PackageURL

from harness.errors import UnreadableOutput
from security.advisories.interface import Inventory, Package
from security.advisories.records import normal_name
from security.advisories.versions import InvalidVersion, scheme_of

MAX_OUTPUT_CHARS = 512 << 20
TRIVY = "aquasecurity:trivy"


@contextmanager
def bill_of_materials(inventory: Inventory) -> Iterator[Path]:
    """Give a CycloneDX file of the packages, made of them for the block."""
    with tempfile.TemporaryDirectory(prefix="seatrial-bill-") as folder:
        path = Path(folder) / "bill.cdx.json"
        path.write_text(to_cyclonedx(inventory), "utf-8")
        yield path


def to_cyclonedx(inventory: Inventory) -> str:
    """Write the least CycloneDX (1.5) that trivy and grype find packages, their sources and distribution in."""
    components: list[dict[str, Any]] = []
    if (system := inventory.distribution) is not None:
        named = {"type": "operating-system", "name": system.id, "version": system.version}
        components.append({**named, "bom-ref": f"os:{system.id}@{system.version}"})
    for one in inventory.packages:
        named = {"type": "library", "name": one.name, "version": one.version, "bom-ref": one.purl}
        properties = [{"name": f"{TRIVY}:{key}", "value": value} for key, value in _source(one).items() if value]
        components.append({**named, "purl": one.purl, **({"properties": properties} if properties else {})})
    # trivy refuses a bill of what is no container.
    image = {"component": {"type": "container", "name": "image", "bom-ref": "image"}}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": image}
    return json.dumps({**document, "components": components})


def _source(package: Package) -> dict[str, str]:
    """Return what trivy wants to know of a distribution's source package, by its own names.

    It does not read `upstream` in a purl, and looks up source packages alone: without this libssl3 is never found.
    """
    if package.purl.startswith("pkg:apk/"):
        return {"SrcName": package.source, "SrcVersion": package.source_version}
    if not package.purl.startswith("pkg:deb/"):
        return {}
    epoch, _, rest = package.source_version.rpartition(":")
    upstream, dash, revision = rest.rpartition("-")
    version = {"SrcVersion": upstream if dash else rest, "SrcRelease": revision if dash else "", "SrcEpoch": epoch}
    return {"SrcName": package.source, **version}


def read_json(text: str, program: str) -> dict[str, Any]:
    """Read what a program printed.

    Raises:
        UnreadableOutput: it is no JSON object.

    """
    try:
        value = json.loads(text[:MAX_OUTPUT_CHARS])
    except (ValueError, RecursionError) as error:
        raise UnreadableOutput(f"What {program} printed is not JSON: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise UnreadableOutput(f"What {program} printed is no JSON object.")
    return value


class Finder:
    """Finds the package that a program's answer is about: by purl, else by name and version."""

    def __init__(self, packages: Sequence[Package]) -> None:
        self._by_purl = {key: one for one in packages if (key := _key(one.purl)) is not None}
        self._by_name = {(one.name, one.version): one for one in packages}

    def find(self, purl: str, name: str, version: str) -> Package | None:
        """Return the package, or None where the inventory has none such."""
        key = _key(purl)
        by_purl = self._by_purl.get(key) if key is not None else None
        return by_purl or self._by_name.get((name, version)) or self._by_name.get((normal_name("PyPI", name), version))


def first_fix(versions: Sequence[str], package: Package) -> str | None:
    """Return the lowest of several fixed versions (one a branch) that is above the installed one."""
    scheme = scheme_of(package.ecosystem)
    later = []
    for version in versions:
        try:
            if scheme is not None and scheme(version) > scheme(package.version):
                later.append(version)
        except InvalidVersion:
            continue
    if scheme is None or not later:
        return versions[0] if versions else None
    return min(later, key=scheme)


def texts(value: object) -> list[str]:
    """Return the texts of a list; nothing where it is none."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text(value: object) -> str:
    """Return a text as it is, anything else as an empty one."""
    return value if isinstance(value, str) else ""


def dicts(value: object) -> list[dict[str, Any]]:
    """Return the objects of a list; nothing where it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def mapping(value: object) -> Mapping[str, Any]:
    """Return an object; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def _key(text: str) -> tuple[str, str, str, str] | None:
    try:
        purl = PackageURL.from_string(text)
    except ValueError:
        return None
    version = purl.version or ""
    qualifiers = purl.qualifiers if isinstance(purl.qualifiers, dict) else {}
    # trivy writes a Debian version's epoch apart.
    if (epoch := qualifiers.get("epoch")) and ":" not in version:
        version = f"{epoch}:{version}"
    name = normal_name("PyPI", purl.name) if purl.type == "pypi" else purl.name
    return purl.type, purl.namespace or "", name, version
