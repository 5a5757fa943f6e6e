"""The file of a stored baseline: a run's figures with their trials, small enough to be committed and reviewed."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from pydantic import ValidationError

from harness.errors import UnreadableOutput, UsageError
from harness.model import SCHEMA_VERSION, Baseline, NotMeasured, StoredFigure, StoredVariant
from harness.results import now
from harness.samples import Sample
from harness.sides import Run, setting_of, side_of

FILE_NAME = "seatrial-baseline.json"
MAX_BYTES = 16 << 20
DIGITS = 7
"""Of a figure that is kept: a ten-millionth, where the noise is a hundredth."""
HINT = "`seatrial baseline save` stores one anew."


def of_run(run: Run) -> Baseline:
    """Return what a later run needs to be judged against this one.

    Raises:
        UsageError: the run measured nothing.
        UnreadableOutput: a histogram file is missing or damaged.

    """
    results, setting = run.results, setting_of(run)
    variants = {}
    for variant in results.variants:
        side = side_of(Run(results=results, histogram=run.histogram), variant.name, setting=setting)
        variants[variant.name] = StoredVariant(
            image_digest=side.name.digest or None,
            base=side.name.base,
            figures={name: _stored(sample) for name, sample in side.samples.items()},
            unseen=tuple(sorted(side.unseen)),
        )
    if not any(isinstance(one, StoredFigure) for variant in variants.values() for one in variant.figures.values()):
        raise UsageError(f"The run {results.run_id} measured nothing that could be a baseline.")
    return Baseline(
        saved_at=now(),
        run_id=results.run_id,
        started_at=results.started_at,
        load_profile=results.load_profile,
        run_profile=results.run_profile,
        conditions=results.conditions,
        baseline_variant=setting.reference_name,
        # Which scanners were where is nothing that a figure depends on, and a path of a machine is none of a team's.
        environment=results.environment.model_copy(update={"tools": {}}),
        calibrations=tuple(_short(one) for one in setting.calibrations),
        variants=variants,
    )


def save(baseline: Baseline, path: Path) -> None:
    """Write a baseline, a line for each figure, so that a change of one can be read in a diff.

    Raises:
        UsageError: the file cannot be written.

    """
    new = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(_text(baseline), "utf-8")
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UsageError(f"The baseline {path} cannot be written: {error.strerror}.") from error


def load(path: Path) -> Baseline:
    """Read a stored baseline.

    Raises:
        UsageError: there is no such file, or it is no regular one: a device has no end.
        UnreadableOutput: it is no baseline, or one of another schema's version.

    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"The stored baseline {path} is no file.", HINT)
        if found.st_size > MAX_BYTES:
            raise UnreadableOutput(f"{path} is too large to be a baseline.", HINT)
        raw = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"There is no stored baseline {path}.", HINT) from error
    except OSError as error:
        raise UsageError(f"The stored baseline {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableOutput(f"{path} is not JSON.", HINT) from error
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise UnreadableOutput(f"{path} is no baseline of schema version {SCHEMA_VERSION}.", HINT)
    try:
        return Baseline.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UnreadableOutput(f"{path} is not a baseline: {where}: {first['msg']}.", HINT) from error


def _stored(sample: Sample | NotMeasured) -> StoredFigure | NotMeasured:
    if isinstance(sample, NotMeasured):
        return sample
    exact = sample.counted
    return StoredFigure(
        values={key: value if exact else _short(value) for key, value in sample.values.items()},
        pairs=sample.pairs,
        counted=sample.counted,
        point=None if sample.point is None else _short(sample.point),
        step=sample.step,
    )


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _text(baseline: Baseline) -> str:
    """Write JSON with one line for each figure."""
    document = json.loads(baseline.model_dump_json(exclude_defaults=False))
    variants = document.pop("variants")
    head = json.dumps(document, indent=1)[:-2]
    lines = []
    for name, variant in variants.items():
        figures = variant.pop("figures")
        rows = ",\n".join(
            f"   {json.dumps(metric)}: {json.dumps(_without_defaults(one))}" for metric, one in figures.items()
        )
        rest = json.dumps(variant)[1:-1]
        lines.append(f'  {json.dumps(name)}: {{{rest}, "figures": {{\n{rows}\n  }}}}')
    return head + ',\n "variants": {\n' + ",\n".join(lines) + "\n }\n}\n"


def _without_defaults(figure: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in figure.items() if value is not None and value is not False}
