"""How versions compare, by the rules of each kind of ecosystem: PEP 440, dpkg and apk."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from debian.debian_support import NativeVersion
from packaging.version import InvalidVersion as Pep440Invalid
from packaging.version import Version

MAX_LENGTH = 512
"""No real version is longer; comparing one takes time that grows with its length."""


class InvalidVersion(ValueError):
    """A text is not a version in its ecosystem's scheme."""


Scheme = Callable[[str], Any]
"""Makes a text comparable: the results of one scheme are ordered among themselves. Raises InvalidVersion."""


def scheme_of(ecosystem: str) -> Scheme | None:
    """Return the scheme of an OSV ecosystem such as `PyPI` or `Debian:11`; None where this module knows none."""
    return SCHEMES.get(ecosystem.partition(":")[0])


@functools.lru_cache(maxsize=100_000)
def pep440(text: str) -> Version:
    """Read a Python version.

    Raises:
        InvalidVersion: PEP 440 does not allow it.

    """
    try:
        return Version(_short(text))
    except Pep440Invalid as error:
        raise InvalidVersion(f"{text!r} is not a version by PEP 440") from error


DPKG = re.compile(r"(?:\d{1,18}:)?[0-9A-Za-z.+~:-]+")


@functools.lru_cache(maxsize=100_000)
def dpkg(text: str) -> NativeVersion:
    """Read a Debian version (deb-version(7)).

    Raises:
        InvalidVersion: dpkg would not take it.

    """
    if not DPKG.fullmatch(_short(text)):
        raise InvalidVersion(f"{text!r} is not a Debian version")
    try:
        return NativeVersion(text)
    except ValueError as error:
        raise InvalidVersion(f"{text!r} is not a Debian version") from error


SUFFIXES = ("alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p")
NO_SUFFIX = SUFFIXES.index("")
APK = re.compile(
    r"(\d+)((?:\.\d+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(~[0-9a-f]+)?(?:-r(\d+))?", re.ASCII
)
FIRST, DIGITS, LETTER, SUFFIX, SUFFIX_NUMBER, COMMIT, REVISION, END = range(8)


@functools.total_ordering
class ApkVersion:
    """A version as apk compares it (apk-tools 3, src/version.c): token by token, and then by which token comes next."""

    def __init__(self, text: str) -> None:
        match = APK.fullmatch(_short(text))
        if match is None:
            raise InvalidVersion(f"{text!r} is not an Alpine version")
        self._tokens = tuple(_tokens(match))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApkVersion) and self._compare(other) == 0

    def __lt__(self, other: ApkVersion) -> bool:
        return self._compare(other) < 0

    def __hash__(self) -> int:
        return hash(self._tokens)

    def _compare(self, other: ApkVersion) -> int:
        for (kind, value), (other_kind, other_value) in zip(self._tokens, other._tokens, strict=False):
            if kind != other_kind:
                # The longer version is the newer one, unless it goes on with the mark of an early release.
                if kind == SUFFIX and value < NO_SUFFIX:
                    return -1
                if other_kind == SUFFIX and other_value < NO_SUFFIX:
                    return 1
                return other_kind - kind
            if value != other_value:
                # A leading zero makes a part a decimal fraction, as in Gentoo: 1.02 is older than 1.1.
                if kind == DIGITS and not value.startswith("0") and not other_value.startswith("0"):
                    value, other_value = int(value), int(other_value)
                if value != other_value:
                    return -1 if value < other_value else 1
        return 0


def _tokens(match: re.Match[str]) -> list[tuple[int, Any]]:
    first, digits, letter, suffixes, commit, revision = match.groups()
    found: list[tuple[int, Any]] = [(FIRST, int(first))]
    found += [(DIGITS, part) for part in digits.split(".")[1:]]
    if letter:
        found.append((LETTER, letter))
    for suffix in suffixes.split("_")[1:]:
        word = suffix.rstrip("0123456789")
        found.append((SUFFIX, SUFFIXES.index(word)))
        if word != suffix:
            found.append((SUFFIX_NUMBER, int(suffix[len(word) :])))
    if commit:
        found.append((COMMIT, commit))
    if revision is not None:
        found.append((REVISION, int(revision)))
    return [*found, (END, 0)]


@functools.lru_cache(maxsize=100_000)
def apk(text: str) -> ApkVersion:
    """Read an Alpine version.

    Raises:
        InvalidVersion: apk would not take it.

    """
    return ApkVersion(text)


def _short(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise InvalidVersion(f"a version of {len(text)} characters")
    return text


SCHEMES: dict[str, Scheme] = {"PyPI": pep440, "Debian": dpkg, "Ubuntu": dpkg, "Alpine": apk}
