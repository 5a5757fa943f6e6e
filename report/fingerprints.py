"""What makes a finding the same in another run: its rule, its variant, and its place where that has its own remedy.

Nothing of the run, of the image's tag or digest, of the project's folder, of line numbers or of the order goes in.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from packageurl import PackageURL

from harness.model import Finding, Vulnerability

NAME = "seatrial/v1"
"""The scheme's name; another scheme would get another number, so that old and new are never compared."""
LINE = re.compile(r"\bDockerfile:\d+")

T = TypeVar("T")


def of_findings(found: Sequence[Finding], *, single: Callable[[str], bool]) -> dict[int, str]:
    """Return the fingerprint of each finding, by its place in the sequence.

    Args:
        found: of any variants.
        single: says of a rule's id whether it makes one finding for all places of an image, so that the list of places
            may grow and it is still the same finding.

    """
    keys = [
        ("finding", one.id, one.variant, *(() if single(one.id) else (_unnumbered(one.where), _place(one))))
        for one in found
    ]
    return _distinct(keys, [(one.where, one.evidence, one.title) for one in found])


def of_vulnerabilities(found: Sequence[Vulnerability]) -> dict[int, str]:
    """Return the fingerprint of each vulnerability, by its place in the sequence.

    A package that is upgraded to another vulnerable version still has the same vulnerability.
    """
    keys = [("vulnerability", one.id, one.variant, *_package(one)) for one in found]
    return _distinct(keys, [(one.installed_version, one.purl, "") for one in found])


def _place(one: Finding) -> str:
    """Return what tells findings in one Dockerfile apart without their line numbers."""
    return _unnumbered(one.evidence) if LINE.search(one.where) else ""


def _unnumbered(text: str) -> str:
    return LINE.sub("Dockerfile", text)


def _package(one: Vulnerability) -> tuple[str, ...]:
    try:
        purl = PackageURL.from_string(one.purl)
    except ValueError:
        return (one.component,)
    return (purl.type, purl.namespace or "", purl.name)


def _distinct(keys: Iterable[tuple[str, ...]], order: Sequence[tuple[str, ...]]) -> dict[int, str]:
    """Number what would be the same, in an order of its own, so that no two are one."""
    together: dict[tuple[str, ...], list[int]] = {}
    for place, key in enumerate(keys):
        together.setdefault(key, []).append(place)
    found = {}
    for key, places in together.items():
        for number, place in enumerate(sorted(places, key=lambda one: order[one])):
            words = [*key, *([str(number)] if number else [])]
            found[place] = hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]
    return found
