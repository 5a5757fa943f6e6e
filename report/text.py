"""Makes text from outside safe to show: an image's labels, log lines and package names may be hostile."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import quote

INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
"""Unicode's controls, format characters (which turn the direction of writing), private and line-ending ones."""
MARKDOWN = frozenset("\\`*_[]#|~")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "$": "&#36;"}
ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._~:/?#@!$&'*+,;=%-]*)?")
"""The characters that an address may be made of (RFC 3986), without the brackets that could end a Markdown link."""
PLAIN_IN_A_LINK = " ,:;/()=+*!?@"
"""What a data link may hold as it is: spelled out as code points, a page of tables would be half as large again."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a formula to begin with."""


def clean(text: str) -> str:
    """Return text on one line, with every invisible or direction-turning character spelled out as its code point."""
    # What is printable by Python's rule has none of them, and it says so quickly.
    return text if text.isprintable() else "".join(_visible(character) for character in text)


def shortened(text: str, length: int = 300) -> str:
    """Return clean text of at most `length` characters; what is cut off is marked with an ellipsis."""
    one = clean(text)
    return one if len(one) <= length else one[: length - 1] + "…"


def markdown(text: str) -> str:
    """Return clean text in which Markdown and HTML find nothing to do."""
    escaped = "".join(f"\\{c}" if c in MARKDOWN else ENTITIES.get(c, c) for c in clean(text))
    # A bare address would become a link by itself.
    return escaped.replace("://", ":&#47;&#47;").replace("www.", "www&#46;")


def link(address: str) -> str:
    """Return a web address that is safe to write into a document as one; empty where it is none."""
    return address if len(address) <= 500 and ADDRESS.fullmatch(address) else ""


def several(counts: Iterable[int]) -> str:
    """Return how many there are, where it is not the same everywhere: `3 to 4`, `3`; `0` of nothing."""
    ordered = sorted(counts) or [0]
    return " to ".join(f"{one:,}" for one in dict.fromkeys((ordered[0], ordered[-1])))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str | float | None]]) -> str:
    """Return a CSV file's text; a cell that a spreadsheet would run as a formula is set off by an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_cell(name) for name in header])
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def data_link(text: str) -> str:
    """Return a link that carries a CSV file in itself."""
    return "data:text/csv;charset=utf-8," + quote(text, safe=PLAIN_IN_A_LINK)


def _visible(character: str) -> str:
    if character in "\n\r\t":
        return " "
    if unicodedata.category(character) in INVISIBLE:
        return f"⟨U+{ord(character):04X}⟩"
    return character


def _cell(value: str | float | None) -> str | float:
    if value is None:
        return ""
    if isinstance(value, str):
        text = clean(value)
        return f"'{text}" if text.startswith(FORMULA) else text
    return float(f"{value:.6g}")
