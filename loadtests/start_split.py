"""Where a start's time goes: interpreter and import, with and without compiled bytecode, timed in fresh containers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from harness.engine.client import Engine
from harness.errors import SeatrialError
from harness.model import Image, NotMeasured, StartSplit
from loadtests.entry import Entry, entry_of
from loadtests.setting import Setting

SCRIPT = Path(__file__).resolve().parent / "inside" / "import_timer.py"
VARIABLE = "SEATRIAL_SPLIT"
IMPORT_TIMEOUT_S = 20.0
SLACK_S = 20.0


def splits(image: Image, setting: Setting, engine: Engine, indexes: Sequence[int], seed: int) -> Iterator[StartSplit]:
    """Make one split for each index, each in a fresh container of the image under the run profile.

    Args:
        image: whose start is split.
        setting: how its containers are started, and on which core.
        engine: where.
        indexes: the numbers of the splits that are still to be made.
        seed: decides which is timed first, with bytecode or without.

    """
    entry = entry_of((*image.entrypoint, *image.command))
    for index in indexes:
        source_first = Random(f"{seed}/split/{index}").random() < 0.5  # noqa: S311 - an order, no secret
        started_at = datetime.now(UTC)
        found = entry if isinstance(entry, NotMeasured) else _measured(image, setting, engine, entry, source_first)
        yield split_of(image, setting.run_profile.name, index, started_at, entry, found)


def split_of(
    image: Image,
    run_profile: str,
    index: int,
    started_at: datetime,
    entry: Entry | NotMeasured,
    found: Mapping[str, Any] | NotMeasured,
) -> StartSplit:
    """Return the record of one split; what was not measured says why. Pure."""
    compiled, source = (
        found if isinstance(found, NotMeasured) else _kind(found.get(name)) for name in ("compiled", "source")
    )
    return StartSplit(
        id=f"split-{image.variant}-{index}",
        variant=image.variant,
        image_digest=image.digest,
        run_profile=run_profile,
        index=index,
        started_at=started_at,
        imported=() if isinstance(entry, NotMeasured) else entry.imported,
        interpreter_seconds=compiled if isinstance(compiled, NotMeasured) else compiled[0],
        import_seconds=compiled if isinstance(compiled, NotMeasured) else compiled[1],
        interpreter_seconds_without_bytecode=source if isinstance(source, NotMeasured) else source[0],
        import_seconds_without_bytecode=source if isinstance(source, NotMeasured) else source[1],
    )


def _kind(one: Any) -> tuple[float, float] | NotMeasured:
    try:
        if "error" in one:
            return NotMeasured(not_measured=str(one["error"]))
        interpreter = float(one["interpreter"])
        return interpreter, float(one["imported"]) - interpreter
    except (KeyError, TypeError, ValueError):
        return NotMeasured(not_measured="its container did not say what was measured")


def _measured(
    image: Image, setting: Setting, engine: Engine, entry: Entry, source_first: bool
) -> Mapping[str, Any] | NotMeasured:
    orders = {
        "flags": entry.flags,
        "modules": entry.modules,
        "script": entry.script,
        "source_first": source_first,
        "timeout_s": IMPORT_TIMEOUT_S,
    }
    spec = setting.target(image, "none")
    spec = dataclasses.replace(
        spec,
        entrypoint=[entry.python],
        command=["-I", "-c", SCRIPT.read_text("utf-8")],
        env={**spec.env, VARIABLE: json.dumps(orders)},
        # A restart would only repeat what failed.
        profile=None if spec.profile is None else spec.profile.model_copy(update={"restart": "no"}),
    )
    try:
        code, out, said = engine.run_to_end(spec, timeout_s=2 * IMPORT_TIMEOUT_S + SLACK_S)
    except SeatrialError as error:
        return NotMeasured(not_measured=error.message)
    try:
        found = json.loads(out)
    except ValueError:
        tail = said.strip().splitlines()[-1:] or ["it said nothing"]
        return NotMeasured(not_measured=f"its container ended with exit code {code}: {tail[0][:200]}")
    return found if isinstance(found, dict) else NotMeasured(not_measured="its container printed no object")
