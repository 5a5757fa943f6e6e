"""The licences of components, and the policy that they are held to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cyclonedx.spdx import is_supported_id

_WORDS = re.compile(r"\s+(?:AND|OR|WITH)\s+|[()]", re.IGNORECASE)
_NAME_LIKE = re.compile(r"[\d.+-]")


def cleaned(kind: str, words: Iterable[str], database: str) -> tuple[str, ...]:
    """Return a component's licences.

    Args:
        kind: the purl's type.
        words: what syft gives.
        database: what the image's own package database says; empty where it does not.

    For apk the database's expression is the truth: syft takes its words apart. For Python it fills what syft leaves
    out. Debian's copyright files are prose, of which syft also takes words such as `This`; they are left out.

    """
    given = {word for word in words if word.upper() != "UNKNOWN"}
    if database and (kind == "apk" or not given):
        return (database,)
    if kind == "deb":
        given = {word for word in given if is_supported_id(word) or _NAME_LIKE.search(word)}
    return tuple(sorted(given))


def names_in(expression: str) -> tuple[str, ...]:
    """Return the licences that an expression names."""
    return tuple(word for part in _WORDS.split(expression) if (word := part.strip()))


def alternatives(expression: str) -> tuple[tuple[str, ...], ...]:
    """Return the ways in which an expression may be met, each as the licences that then hold.

    `A AND (B OR C)` may be met by A and B, or by A and C. AND binds closer than OR (SPDX specification, annex D).
    """
    tokens = [token for token in re.split(r"(\(|\)|\s+AND\s+|\s+OR\s+)", expression.strip()) if token.strip()]
    found, rest = _either([token.strip() for token in tokens])
    return found if not rest and found else (names_in(expression),)


Ways = tuple[tuple[str, ...], ...]


def _either(tokens: list[str]) -> tuple[Ways, list[str]]:
    ways, rest = _both(tokens)
    while rest and rest[0].upper() == "OR":
        more, rest = _both(rest[1:])
        ways += more
    return ways, rest


def _both(tokens: list[str]) -> tuple[Ways, list[str]]:
    ways, rest = _one(tokens)
    while rest and rest[0].upper() == "AND":
        more, rest = _one(rest[1:])
        ways = tuple(left + right for left in ways for right in more)
    return ways, rest


def _one(tokens: list[str]) -> tuple[Ways, list[str]]:
    if not tokens or tokens[0] in (")", "AND", "OR"):
        return (), tokens
    if tokens[0] == "(":
        ways, rest = _either(tokens[1:])
        return (ways, rest[1:]) if rest[:1] == [")"] else ((), tokens)
    return ((tokens[0].partition(" WITH ")[0],),), tokens[1:]
