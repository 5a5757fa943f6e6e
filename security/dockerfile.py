"""A Dockerfile's text to its instructions and stages, by the rules of BuildKit's own parser, here documents too.

No kept Python library knows here documents, and the binding to BuildKit's parser has no wheel outside of x86-64.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.errors import UsageError
from security.subjects import Dockerfile, Instruction, Stage

MAX_BYTES = 1 << 20
_DIRECTIVE = re.compile(r"^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_HEREDOC = re.compile(r"(?<!<)<<(-?)\s*([\"']?)([A-Za-z_][A-Za-z0-9_.]*)\2")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::([-+])([^}]*))?\}|([A-Za-z_]\w*))")
_TAKE_HEREDOCS = ("RUN", "COPY", "ADD")
_TAKE_JSON = ("RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "VOLUME")


def read(path: Path) -> Dockerfile:
    """Read and parse a Dockerfile.

    Raises:
        UsageError: it is not there, is no text, or has no FROM.

    """
    try:
        data = path.read_bytes()
        if len(data) > MAX_BYTES:
            raise UsageError(f"{path} is larger than any Dockerfile.", "Does the name point to the right file?")
        return parse(data.decode("utf-8"), name=str(path))
    except OSError as error:
        raise UsageError(f"The Dockerfile {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"The Dockerfile {path} is not text in UTF-8.") from error


def parse(text: str, *, name: str = "the Dockerfile") -> Dockerfile:
    """Parse a Dockerfile's text.

    Raises:
        UsageError: it has no FROM.

    """
    instructions: list[Instruction] = []
    stages: list[Stage] = []
    global_args: dict[str, str] = {}
    for line, logical, heredocs in _logical_lines(text.removeprefix("\ufeff").splitlines()):
        word, _, rest = (
            logical.strip().partition(" ") if " " in logical.strip() else (*logical.split(None, 1), "", "")[:3]
        )
        made = _instruction(word.upper(), rest.strip(), heredocs, line, len(stages) - 1)
        if made.name == "FROM":
            stages.append(_stage(made, len(stages), global_args))
            made = _instruction(word.upper(), rest.strip(), heredocs, line, len(stages) - 1)
        elif made.name == "ARG" and not stages:
            global_args |= _defaults(made, global_args)
        instructions.append(made)
    if not stages:
        raise UsageError(f"{name} has no FROM, so it is no Dockerfile.")
    return Dockerfile(instructions=tuple(instructions), stages=tuple(stages))


def _logical_lines(lines: list[str]) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Yield number of the first line, the joined line, and the bodies of its here documents."""
    escape = _escape(lines)
    at = 0
    while at < len(lines):
        first = at + 1
        parts: list[str] = []
        more = True
        while more and at < len(lines):
            line = lines[at]
            at += 1
            if line.lstrip().startswith("#") or not line.strip():
                more = bool(parts)  # comments and empty lines do not end a continued instruction
                continue
            stripped = line.rstrip()
            more = stripped.endswith(escape)
            parts.append(stripped[:-1] if more else line)
        logical = "".join(parts)
        if not logical.strip():
            continue
        bodies: list[str] = []
        if logical.split(None, 1)[0].upper() in _TAKE_HEREDOCS:
            for dash, _, word in _HEREDOC.findall(logical):
                body: list[str] = []
                while at < len(lines) and (lines[at].lstrip("\t") if dash else lines[at]).rstrip("\r") != word:
                    body.append(lines[at])
                    at += 1
                at += 1
                bodies.append("\n".join(body))
        yield first, logical, tuple(bodies)


def _escape(lines: list[str]) -> str:
    """Return the character that continues a line: `# escape=` may change it, at the very top only."""
    for line in lines:
        directive = _DIRECTIVE.match(line.strip())
        if directive is None:
            break
        if directive[1].lower() == "escape" and directive[2] in ("\\", "`"):
            return directive[2]
    return "\\"


def _instruction(name: str, rest: str, heredocs: tuple[str, ...], line: int, stage: int) -> Instruction:
    flags = []
    while (match := re.match(r"--[a-z][\w.-]*(=(\"[^\"]*\"|\S*))?(\s+|$)", rest)) is not None:
        flags.append(match[0].strip())
        rest = rest[match.end() :]
    words, exec_form = tuple(rest.split()), False
    if name in _TAKE_JSON and (parsed := _json_words(rest)) is not None:
        words, exec_form = parsed, True
    elif name == "HEALTHCHECK" and rest[:3].upper() == "CMD" and (parsed := _json_words(rest[3:].strip())) is not None:
        words, exec_form = ("CMD", *parsed), True
    return Instruction(
        name=name,
        value=rest,
        flags=tuple(flags),
        words=words,
        exec_form=exec_form,
        heredocs=heredocs,
        line=line,
        stage=stage,
    )


def _json_words(text: str) -> tuple[str, ...] | None:
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return tuple(found) if isinstance(found, list) and all(isinstance(one, str) for one in found) else None


def _stage(made: Instruction, number: int, global_args: Mapping[str, str]) -> Stage:
    words = made.words
    named = words[2].lower() if len(words) == 3 and words[1].upper() == "AS" else None
    return Stage(number=number, base=expand(words[0], global_args) if words else "", name=named, line=made.line)


def _defaults(made: Instruction, known: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in made.words:
        key, equals, value = word.partition("=")
        if equals:
            found[key] = expand(value.strip("\"'"), {**known, **found})
    return found


def expand(text: str, values: Mapping[str, str]) -> str:
    """Fill in `$NAME`, `${NAME}`, `${NAME:-else}` and `${NAME:+then}`; an unknown name stays as it is."""

    def replaced(match: re.Match[str]) -> str:
        name, operator, word = match[1] or match[4], match[2], match[3] or ""
        if operator == "+":
            return word if values.get(name) else ""
        if operator == "-":
            return values.get(name) or word
        return values.get(name, match[0])

    return _VARIABLE.sub(replaced, text)
