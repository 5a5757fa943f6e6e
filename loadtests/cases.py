"""One request with the one correct answer to it, compared whole. Standard library only: the generator runs it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST_EXCERPT = 80


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. Header names in lower case; `seconds` from sending to the last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request, and all that its answer must be."""

    endpoint: str
    """The journey step's name, under which its latencies are counted."""
    method: str = "GET"
    target: str = "/"
    """Path and query, percent-encoded."""
    request_headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    announced_bytes: int | None = None
    """A Content-Length that is sent without the body, to see it refused before it is read."""
    status: int = 200
    content_type: str
    """The media type; a charset, where one is given, must be UTF-8."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that must be there with just this value; names in lower case."""
    answer: bytes
    """The whole body."""
    at_least_s: float = 0.0
    """The shortest time in which a true answer can come."""

    def faults(self, answer: Answer) -> list[str]:
        """Compare an answer with the correct one; return what is wrong with it, in a line each, or nothing."""
        asked = f"{self.method} {_short(self.target)}"
        found: list[str] = []
        if answer.status != self.status:
            found.append(f"{asked}: status {answer.status} where {self.status} is right")
        media_type, _, parameters = answer.headers.get("content-type", "(none)").partition(";")
        if media_type.strip().lower() != self.content_type:
            found.append(f"{asked}: content type {media_type.strip()} where {self.content_type} is right")
        charset = parameters.lower().replace(" ", "").partition("charset=")[2].strip('"')
        if charset not in ("", "utf-8"):
            found.append(f"{asked}: charset {charset} where utf-8 is right")
        for name, value in self.headers.items():
            given = answer.headers.get(name)
            if given != value:
                found.append(f"{asked}: header {name} is {given!r} where {value!r} is right")
        if any(character.isdigit() for character in answer.headers.get("server", "")):
            found.append(f"{asked}: the Server header names a version: {answer.headers['server']!r}")
        if self.method != "HEAD" and answer.body != self.answer:
            found.append(f"{asked}: body {_short(answer.body)} where {_short(self.answer)} is right")
        if answer.seconds is not None and answer.seconds < self.at_least_s:
            found.append(f"{asked}: answered in {answer.seconds:.4f} s, which takes at least {self.at_least_s:.4f} s")
        return found


def _short(what: bytes | str) -> str:
    if isinstance(what, bytes):
        text = repr(what[:LONGEST_EXCERPT])[1:]
        return text + (f" ({len(what)} bytes)" if len(what) > LONGEST_EXCERPT else "")
    return what if len(what) <= LONGEST_EXCERPT else what[:LONGEST_EXCERPT] + "..."
