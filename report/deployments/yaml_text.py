"""YAML with comments: every text in double quotes, so that YAML 1.1 and 1.2 read the same."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from report.deployments.comments import comment

INDENT = 2


def document(entries: Mapping[str, Any], notes: Mapping[tuple[str, ...], str], *, text: Callable[[str], str]) -> str:
    """Return one document.

    Args:
        entries: nested mappings, sequences, texts, numbers and booleans.
        notes: path of keys -> what is said above that entry; the numbers of a sequence count as no key.
        text: what is done to every text first, as escaping a format's own signs.

    """
    writer = YAML()
    writer.width = 1 << 16
    writer.indent(mapping=INDENT, sequence=2 * INDENT, offset=INDENT)
    stream = io.StringIO()
    writer.dump(_node(entries, (), 0, notes, text), stream)
    return stream.getvalue()


def _node(value: Any, path: tuple[str, ...], depth: int, notes: Mapping[tuple[str, ...], str],
          text: Callable[[str], str]) -> Any:  # fmt: skip
    if isinstance(value, Mapping):
        made = CommentedMap()
        for key, one in value.items():
            made[str(key)] = _node(one, (*path, str(key)), depth + INDENT, notes, text)
            if said := notes.get((*path, str(key))):
                lines = [line.removeprefix("# ") for line in comment(said, 0)]
                made.yaml_set_comment_before_after_key(str(key), before="\n".join(lines), indent=depth)
        return made
    if isinstance(value, Sequence) and not isinstance(value, str):
        return CommentedSeq(_node(one, path, depth + INDENT, notes, text) for one in value)
    return DoubleQuotedScalarString(text(value)) if isinstance(value, str) else value
