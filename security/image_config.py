"""An image's configuration document to what the checks read of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from security.layer_stream import unreadable
from security.subjects import Healthcheck, HistoryEntry, ImageConfig


def parse(document: Mapping[str, Any]) -> ImageConfig:
    """Read an image's configuration (OCI image specification, `config.md`; Docker's Healthcheck beside it).

    Raises:
        UnreadableOutput: a field is not of its type.

    """
    config = _mapping(document, "config")
    diff_ids = tuple(_mapping(document, "rootfs").get("diff_ids") or ())
    health = _mapping(config, "Healthcheck")
    env = dict(word.partition("=")[::2] for word in _strings(config, "Env"))
    return ImageConfig(
        user=_string(config, "User"),
        env=env,
        entrypoint=_strings(config, "Entrypoint"),
        command=_strings(config, "Cmd"),
        healthcheck=Healthcheck(test=test) if (test := _strings(health, "Test")) else None,
        labels={str(key): str(value) for key, value in _mapping(config, "Labels").items()},
        exposed_ports=tuple(sorted(_mapping(config, "ExposedPorts"))),
        volumes=tuple(sorted(_mapping(config, "Volumes"))),
        working_dir=_string(config, "WorkingDir"),
        history=_history(document, diff_ids),
        architecture=_string(document, "architecture"),
        diff_ids=diff_ids,
    )


def _history(document: Mapping[str, Any], diff_ids: tuple[str, ...]) -> tuple[HistoryEntry, ...]:
    entries = document.get("history") or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise unreadable("its history is not a list")
    with_layer = [entry for entry in entries if not entry.get("empty_layer")]
    # Where they do not match, no layer can be traced to an instruction, and none is.
    layers = iter(diff_ids if len(with_layer) == len(diff_ids) else ())
    return tuple(
        HistoryEntry(
            created_by=_string(entry, "created_by"),
            diff_id=None if entry.get("empty_layer") else next(layers, None),
        )
        for entry in entries
    )


def _mapping(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key) or {}
    if not isinstance(found, dict):
        raise unreadable(f"{key} in its configuration is not an object")
    return found


def _string(document: Mapping[str, Any], key: str) -> str:
    found = document.get(key) or ""
    if not isinstance(found, str):
        raise unreadable(f"{key} in its configuration is not text")
    return found


def _strings(document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = document.get(key) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise unreadable(f"{key} in its configuration is not a list of texts")
    return tuple(found)
