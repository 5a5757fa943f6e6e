"""Reads what a builder said: which steps it did not do, since it had their results already."""

from __future__ import annotations

import re
from collections.abc import Iterable

# BuildKit: `#5 [build 2/7] WORKDIR /opt/app`, and later `#5 CACHED`.
_STEP = re.compile(r"#(?P<number>\d+) (?P<step>\[[^\]]*\d+/\d+\] (?P<keyword>\w+).*)")
_CACHED = re.compile(r"#(?P<number>\d+) CACHED")
# Classic: `Step 3/9 : COPY a b`, and then ` ---> Using cache`.
_CLASSIC_STEP = re.compile(r"Step \d+/\d+ : (?P<step>.*)")
_CLASSIC_CACHED = "---> Using cache"
WITHOUT_WORK = ("FROM", "WORKDIR")
"""BuildKit calls these cached even where it is told to use no cache: one does nothing, one makes a folder."""


def steps_not_done(lines: Iterable[str]) -> list[str]:
    """Return the steps whose results were there already, in the builder's words.

    Those that are no work are left out.
    """
    steps: dict[str, str] = {}
    last = ""
    found: dict[str, None] = {}
    for line in lines:
        if (step := _STEP.fullmatch(line)) and step["keyword"].upper() not in WITHOUT_WORK:
            steps[step["number"]] = step["step"]
        elif (cached := _CACHED.fullmatch(line.rstrip())) and cached["number"] in steps:
            found[steps[cached["number"]]] = None
        elif classic := _CLASSIC_STEP.fullmatch(line):
            last = classic["step"]
        elif line.strip() == _CLASSIC_CACHED:
            found[last] = None
    return list(found)
