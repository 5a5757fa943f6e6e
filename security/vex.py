"""OpenVEX documents: what their authors say of a vulnerability in a product; parsed, and applied to one vulnerability.

Source: the OpenVEX specification 0.2.0. Products are matched by their package URLs, vulnerabilities by any of their
names. Where several statements are about the same thing, the newest holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from packageurl import PackageURL
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import UsageError
from harness.model import Scan, Suppression, Vulnerability

CONTEXT = "https://openvex.dev/ns/v0.2.0"
HINT = "Seatrial reads OpenVEX 0.2.0 as JSON, with vulnerability, products and status in every statement."
MAX_BYTES = 20_000_000
IMAGE_TYPES = ("oci", "docker")
SUPPRESSES: Mapping[str, Literal["not affected", "fixed"]] = {"not_affected": "not affected", "fixed": "fixed"}
JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)


class _Part(BaseModel):
    """A part of a document: what the specification has beside what is read here is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Named(_Part):
    id: str = Field(default="", alias="@id")
    identifiers: dict[str, str] = {}

    def purls(self) -> tuple[PackageURL, ...]:
        """Return the package URLs by which it is known; what is none is passed over."""
        words = [self.id, self.identifiers.get("purl", "")]
        return tuple(purl for word in words if word.startswith("pkg:") and (purl := _purl(word)) is not None)


class _Product(_Named):
    subcomponents: tuple[_Named, ...] = ()


class _Vulnerability(_Part):
    name: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()


class _Statement(_Part):
    vulnerability: _Vulnerability
    products: tuple[_Product, ...] = ()
    status: Literal["not_affected", "affected", "fixed", "under_investigation"]
    justification: str = ""
    impact_statement: str = ""
    status_notes: str = ""
    timestamp: datetime | None = None

    @model_validator(mode="after")
    def _is_justified(self) -> _Statement:
        if self.justification and self.justification not in JUSTIFICATIONS:
            raise ValueError(f"justification {self.justification[:60]!r} is none of OpenVEX's")
        if self.status == "not_affected" and not (self.justification or self.impact_statement):
            raise ValueError("not_affected needs a justification or an impact_statement")
        return self


class _Document(_Part):
    id: str = Field(alias="@id", min_length=1)
    context: str = Field(alias="@context")
    author: str = Field(min_length=1)
    timestamp: datetime
    statements: tuple[_Statement, ...] = Field(min_length=1)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What one document says of one vulnerability, with the document's own facts beside it."""

    names: frozenset[str]
    """The vulnerability's names, in capitals."""
    products: tuple[_Product, ...]
    status: str
    justification: str
    reason: str
    source: str
    timestamp: datetime


def read(paths: Iterable[Path]) -> tuple[Statement, ...]:
    """Read OpenVEX documents.

    Raises:
        UsageError: one cannot be read, is no JSON, or is no OpenVEX document of the version that is read here.

    """
    found: list[Statement] = []
    for path in paths:
        try:
            if path.stat().st_size > MAX_BYTES:
                raise UsageError(f"The VEX document {path} is larger than {MAX_BYTES:,} bytes.")
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(f"The VEX document {path} cannot be read: {error.strerror}.") from error
        found += parse(data, str(path))
    return tuple(found)


def parse(data: bytes, where: str) -> tuple[Statement, ...]:
    """Parse one document.

    Args:
        data: the JSON.
        where: what an error calls it.

    Raises:
        UsageError: see `read`.

    """
    try:
        raw: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The VEX document {where} is not JSON: {str(error)[:120]}", HINT) from error
    context = raw.get("@context") if isinstance(raw, dict) else None
    if context != CONTEXT:
        raise UsageError(f"{where} is not an OpenVEX 0.2.0 document: its @context is {str(context)[:80]!r}.", HINT)
    try:
        document = _Document.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"The VEX document {where} is wrong at {place}: {first['msg']}.", HINT) from error
    return tuple(_statement(one, document) for one in document.statements)


def judge(statements: Sequence[Statement], one: Vulnerability, scan: Scan) -> Suppression | None:
    """Return the mark that the newest statement about a vulnerability puts on it; None where it counts."""
    if not statements:
        return None
    names = {name.upper() for name in (one.id, *one.aliases)}
    about = [said for said in statements if names & said.names and _is_about(said.products, one, scan)]
    if not about:
        return None
    # Of two of the same time the one that lets it count holds: a mistake is then seen.
    newest = max(about, key=lambda said: (said.timestamp, said.status not in SUPPRESSES))
    kind = SUPPRESSES.get(newest.status)
    if kind is None:
        return None
    return Suppression(kind=kind, source=newest.source, reason=newest.reason, justification=newest.justification)


def _statement(one: _Statement, document: _Document) -> Statement:
    reason = one.impact_statement or one.status_notes or one.justification.replace("_", " ")
    return Statement(
        names=frozenset(name.upper() for name in (one.vulnerability.name, *one.vulnerability.aliases)),
        products=one.products,
        status=one.status,
        justification=one.justification,
        reason=reason or f"{one.status.replace('_', ' ')}, as {document.author} says",
        source=f"{document.id} by {document.author}",
        timestamp=_aware(one.timestamp or document.timestamp),
    )


def _is_about(products: Iterable[_Product], one: Vulnerability, scan: Scan) -> bool:
    component = _purl(one.purl)
    if component is None:
        return False
    for product in products:
        for purl in product.purls():
            if purl.type in IMAGE_TYPES:
                parts = [part for sub in product.subcomponents for part in sub.purls()]
                if _is_image(purl, scan) and (
                    not product.subcomponents or any(_matches(part, component) for part in parts)
                ):
                    return True
            elif _matches(purl, component):
                return True
    return False


def _is_image(purl: PackageURL, scan: Scan) -> bool:
    """An image goes by its variant's name, and where a version is given that is its digest."""
    return purl.name == scan.variant and (not purl.version or purl.version == scan.image_digest)


def _matches(said: PackageURL, component: PackageURL) -> bool:
    """What a statement leaves out (version, qualifiers) it leaves open; what it gives has to be the same."""
    if (said.type, said.namespace, said.name) != (component.type, component.namespace, component.name):
        return False
    theirs = _qualifiers(component)
    given = _qualifiers(said)
    return (not said.version or said.version == component.version) and all(
        theirs.get(key) == value for key, value in given.items()
    )


def _qualifiers(purl: PackageURL) -> Mapping[str, str]:
    return purl.qualifiers if isinstance(purl.qualifiers, Mapping) else {}


def _purl(word: str) -> PackageURL | None:
    try:
        return PackageURL.from_string(word)
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
