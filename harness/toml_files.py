"""Reads the TOML files that a user writes, and tells what is wrong in them by name."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from harness.errors import UsageError
from harness.model import Model

M = TypeVar("M", bound=Model)


def table(path: Path, what: str, *, missing: str = "", hint: str = "") -> dict[str, Any]:
    """Return a TOML file's entries.

    Args:
        path: the file.
        what: what it is, for messages: `load profile`.
        missing: the hint where there is no such file; `hint`, if empty.
        hint: the hint where it cannot be read.

    Raises:
        UsageError: there is no such file, it cannot be read, or it is not TOML.

    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"There is no {what} {path}.", missing or hint) from error
    except OSError as error:
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.", hint) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"The {what} {path} cannot be read: it is not TOML: {error}", hint) from error


def read(
    path: Path, model: type[M], what: str, *, given: Mapping[str, object] | None = None, missing: str = "",
    hint: str = "",
) -> M:  # fmt: skip
    """Read a TOML file into a model; `given` are entries that do not stand in the file, such as its name.

    Raises:
        UsageError: as `table`, or an entry is unknown or wrong.

    """
    entries = table(path, what, missing=missing, hint=hint)
    try:
        return model.model_validate({**entries, **(given or {})})
    except ValidationError as error:
        raise UsageError(f"The {what} {path} cannot be used:\n{rows(error)}", hint) from error


def rows(error: ValidationError) -> str:
    """Return a line for each wrong entry: its name, and what is wrong with it."""
    return "\n".join(f"  {_place(one['loc'])}: {_said(one['msg'])}" for one in error.errors())


def _place(where: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in where if part != "[key]") or "the file"


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")
