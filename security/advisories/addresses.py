"""Reads `sources.toml`: the only place that names a host of advisory data."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("sources.toml")


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """OSV's addresses, with `{ecosystem}` and `{id}` to be filled in, and the ecosystems that are fetched."""

    dump: str
    page: str
    ecosystems: tuple[str, ...]


@functools.cache
def addresses() -> Addresses:
    """Return what the file says."""
    osv = tomllib.loads(FILE.read_text("utf-8"))["osv"]
    return Addresses(dump=osv["dump"], page=osv["page"], ecosystems=tuple(osv["ecosystems"]))
