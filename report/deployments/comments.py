"""Comments for a deployed file: whatever the text holds, it stays inside of its comment."""

from __future__ import annotations

import textwrap
import unicodedata

WIDTH = 110
MOST = 2000
"""A comment is for a reader, whatever was printed in a container."""


def one_line(text: str, most: int = MOST) -> str:
    """Return a text without line breaks and other control characters, cut where it is too long."""
    plain = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    words = " ".join(plain.split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def comment(text: str, indent: int = 0) -> list[str]:
    """Return a text as comment lines that begin with `#`; both YAML, systemd and shells pass over these."""
    lines = textwrap.wrap(one_line(text), WIDTH - indent - 2, break_on_hyphens=False)
    return [f"{' ' * indent}# {line}" for line in lines]
