"""The variants there are: every `images/NAME.Dockerfile`, and the public bases it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from harness.errors import UsageError
from harness.model import Variant
from harness.paths import ROOT

FOLDER = ROOT / "images"
SUFFIX = ".Dockerfile"

OUTRIGHT = "FROM "
SCRATCH = "scratch"
WITH_HERE_DOCUMENTS = ("RUN", "COPY", "ADD")

_REFERENCE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::-(?P<default>[^{}$]*))?\}|(?P<bare>\w+))")
_IMAGE = re.compile(r"[a-z0-9][\w.:/-]*(@sha256:[0-9a-f]{64})?")
_HERE_DOCUMENT = re.compile(r"(?<!\S)[0-9]*<<(-?)([\"']?)([A-Za-z_]\w*)\2(?!\S)")
_BASE_HINT = "Name each base as `ARG BASE=public/image:tag` before the first FROM, and use it as `FROM ${BASE}`."


def discover(folder: Path = FOLDER) -> list[Variant]:
    """Return a variant for each Dockerfile in `folder`, by name.

    Raises:
        UsageError: there is none, or one cannot be used.

    """
    found = [read(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    if not found:
        raise UsageError(f"There is no NAME{SUFFIX} in {folder}.", f"Put a variant's Dockerfile there as NAME{SUFFIX}.")
    return found


def read(path: Path) -> Variant:
    """Return the variant that a Dockerfile describes; a folder `NAME.context` beside it is laid over its build context.

    Raises:
        UsageError: the file cannot be read, or its name or its bases cannot be used.

    """
    name = path.name.removesuffix(SUFFIX)
    context = path.with_name(f"{name}.context")
    try:
        return Variant(
            name=name,
            dockerfile=_relative(path),
            public_bases=public_bases(path.read_text("utf-8"), where=path.name),
            context_dir=_relative(context) if context.is_dir() else None,
        )
    except ValidationError as error:
        raise UsageError(
            f"{path.name} cannot be a variant: its name {name!r} must be two or more of a-z, 0-9 and `-`."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The Dockerfile {path} cannot be read: {error}") from error


def public_bases(dockerfile: str, *, where: str = "Dockerfile") -> dict[str, str]:
    """Return ARG name -> default for each base that a Dockerfile's stages start from; the final stage's is the last.

    A base that is no ARG's whole value, so that no other can be put in its place, stands under `FROM REFERENCE`.

    Raises:
        UsageError: there is no FROM, or a stage's base cannot be told.

    """
    arguments: dict[str, str] = {}
    stages: dict[str, str] = {}
    base = ""
    found: dict[str, str] = {}
    number = 0
    for keyword, rest in instructions(dockerfile):
        if keyword == "ARG" and not base:
            for argument in rest.split():
                name, _, default = argument.partition("=")
                arguments[name] = expanded(default.strip("\"'"), arguments)
        elif keyword == "FROM":
            words = [word for word in rest.split() if not word.startswith("--")]
            base, public = _base(words[0] if words else "", arguments, stages, where)
            # A stage can be named in a later FROM, without regard to case, or by its number.
            stages[str(number)] = base
            number += 1
            found.setdefault(base, public)
            if len(words) == 3 and words[1].upper() == "AS":
                stages[words[2].lower()] = base
    if not base or base == SCRATCH:
        raise UsageError(f"{where} has no base for its final stage.", _BASE_HINT)
    return {name: found[name] for name in (*(name for name in found if name not in (base, SCRATCH)), base)}


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction as (keyword in capitals, the rest on one line), without comments and here-documents."""
    pending = ""
    lines = dockerfile.splitlines()
    here = 0
    while here < len(lines):
        text = lines[here].strip()
        here += 1
        if not text or text.startswith("#"):
            continue
        if text.endswith("\\"):
            pending += text[:-1] + " "
            continue
        keyword, _, rest = (pending + text).partition(" ")
        pending = ""
        if keyword.upper() in WITH_HERE_DOCUMENTS and not rest.lstrip().startswith("["):
            here = _after_here_documents(rest, lines, here)
        yield keyword.upper(), rest.strip()
    if pending:
        keyword, _, rest = pending.strip().partition(" ")
        yield keyword.upper(), rest.strip()


def expanded(text: str, arguments: Mapping[str, str]) -> str:
    """Put ARGs' values into a text: `$NAME`, `${NAME}`, `${NAME:-default}`; an ARG without a value is empty."""
    return _REFERENCE.sub(lambda match: arguments.get(_name(match), "") or match["default"] or "", text)


def is_argument(name: str) -> bool:
    """Say whether a key of `Variant.public_bases` is an ARG, by which another base can be put in."""
    return not name.startswith(OUTRIGHT)


def dockerfile_path(variant: Variant) -> Path:
    """Return where a variant's Dockerfile lies."""
    return ROOT / variant.dockerfile


def _base(reference: str, arguments: dict[str, str], stages: dict[str, str], where: str) -> tuple[str, str]:
    """Return what a FROM's image goes back to (an ARG, `FROM REFERENCE` or `scratch`), and the public image that is."""
    if reference.lower() in stages:
        return stages[reference.lower()], ""
    match = _REFERENCE.fullmatch(reference)
    public = expanded(reference, arguments)
    if public == SCRATCH:
        return SCRATCH, ""
    if not _IMAGE.fullmatch(public):
        raise UsageError(f"{where}: the base of `FROM {reference}` is not an image's name.", _BASE_HINT)
    return (_name(match) if match and _name(match) in arguments else f"{OUTRIGHT}{public}"), public


def _name(match: re.Match[str]) -> str:
    return match["braced"] or match["bare"]


def _after_here_documents(rest: str, lines: Sequence[str], here: int) -> int:
    """Return the number of the line after all here-documents that an instruction begins; lines from `here` are theirs.

    One whose end is not there is none: a shift in a command's own text.
    """
    for dash, _, word in _HERE_DOCUMENT.findall(rest):
        for number in range(here, len(lines)):
            if (lines[number].lstrip("\t") if dash else lines[number]) == word:
                here = number + 1
                break
    return here


def _relative(path: Path) -> str:
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
