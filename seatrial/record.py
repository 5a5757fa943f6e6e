"""What a run is, written when it begins: the machine, the engine, the programs, the profiles, the settings."""

from __future__ import annotations

import hashlib
import os
import platform
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.engine.client import Engine
from harness.engine.find import open_engine
from harness.errors import UsageError
from harness.locks import new_run_id
from harness.model import Environment, RunInfo
from harness.results import RunFolder, now
from seatrial import __version__
from seatrial.programs import engine_name, versions
from seatrial.screen import Screen
from seatrial.workspace import Workspace


@contextmanager
def opened(workspace: Workspace, screen: Screen, *, run_id: str | None = None) -> Iterator[tuple[Engine, RunInfo]]:
    """Use an engine for the workspace's run, its folder held and its record begun, while the screen shows progress.

    Args:
        workspace: what is worked on.
        screen: where it is told.
        run_id: labels what is made in the engine; a new id, if not given.

    Raises:
        EngineMissing: there is no engine.
        UsageError: another command is busy with the folder, or it was measured on another machine.

    """
    with (
        workspace.alone(),
        open_engine(run_id or new_run_id(), say=screen.say) as engine,
        screen.shown(),
    ):
        yield engine, begin(workspace, describe(engine))


def describe(engine: Engine) -> Environment:
    """Say where a run is measured: the engine, and the machine behind it; the programs here are asked by `begin`."""
    info, version = engine.info(), engine.version()
    return Environment(
        seatrial_version=__version__,
        python=platform.python_version(),
        engine=engine_name(version),
        engine_version=str(version.get("Version", "unknown")),
        engine_api=str(version.get("ApiVersion", "unknown")),
        engine_source=engine.source,
        storage_driver=str(info.get("Driver", "unknown")),
        cgroup_version=str(info.get("CgroupVersion", "unknown")),
        architecture=str(info.get("Architecture", "unknown")),
        kernel=str(info.get("KernelVersion", "unknown")),
        operating_system=str(info.get("OperatingSystem", "unknown")),
        cores=int(info.get("NCPU", os.cpu_count() or 1)),
        memory_bytes=int(info.get("MemTotal", 0)),
        tools={},
        engine_id=_hashed(str(info.get("ID") or "")),
    )


def _hashed(engine_id: str) -> str:
    """Return what tells one engine from another and gives nothing away of either."""
    return hashlib.sha256(engine_id.encode()).hexdigest()[:16] if engine_id else ""


def begin(workspace: Workspace, environment: Environment) -> RunInfo:
    """Write what the run is into its folder, or take up what a stopped or earlier run of this folder said.

    Raises:
        UsageError: the folder's run was measured on another machine or engine.

    """
    folder, settings = workspace.folder, workspace.settings
    if (folder.path / "run.json").exists():
        info = folder.run_info()
        _refuse_other_machine(info.environment, environment, folder)
    else:
        info = RunInfo(
            run_id=workspace.run_id,
            started_at=now(),
            finished_at=None,
            load_profile=workspace.load_profile.name,
            run_profile=workspace.run_profile.name,
            run_profile_used=workspace.run_profile,
            conditions=workspace.conditions,
            seed=workspace.seed if workspace.seed is not None else random.SystemRandom().randrange(1 << 32),
            baseline_variant=settings.baseline,
            environment=environment.model_copy(update={"tools": versions()}),
            settings={name: _text(value) for name, value in settings},
        )
        folder.write_run(info)
    folder.write_variants(workspace.variants)
    return info


def refuse_mixing(workspace: Workspace, info: RunInfo) -> None:
    """Refuse to load some variants under other profiles or another contract than those whose trials stay.

    Raises:
        UsageError: trials of other variants are there that were made under others.

    """
    chosen = {variant.name for variant in workspace.variants}
    _refuse_trials_of(workspace, info, {t.variant for t in workspace.folder.trials()} - chosen)


def take_conditions(workspace: Workspace, info: RunInfo) -> RunInfo:
    """Let the run's record say under which profiles and contract its trials are made; they hold for all of them.

    Raises:
        UsageError: trials are there that were made under others.

    """
    if info.conditions == workspace.conditions:
        return info
    _refuse_trials_of(workspace, info, {trial.variant for trial in workspace.folder.trials()})
    changed = info.model_copy(
        update={
            "load_profile": workspace.load_profile.name,
            "run_profile": workspace.run_profile.name,
            "run_profile_used": workspace.run_profile,
            "conditions": workspace.conditions,
            "settings": {name: _text(value) for name, value in workspace.settings},
        }
    )
    workspace.folder.write_run(changed)
    return changed


def _refuse_trials_of(workspace: Workspace, info: RunInfo, variants: set[str]) -> None:
    changed = [name for name, value in workspace.conditions.items() if info.conditions.get(name) != value]
    if changed and variants:
        raise UsageError(
            f"{workspace.folder.path} holds trials of {', '.join(sorted(variants))} made under another "
            f"{' and another '.join(changed)}: they do not compare.",
            "Load all of its variants anew with `seatrial load`, or begin a new run with `seatrial run`.",
        )


def _refuse_other_machine(known: Environment, here: Environment, folder: RunFolder) -> None:
    for name in ("engine", "engine_version", "kernel", "cores", "architecture"):
        before, today = getattr(known, name), getattr(here, name)
        if before != today:
            raise UsageError(
                f"{folder.path} was measured with {name.replace('_', ' ')} {before}; here it is {today}.",
                "Figures of two machines do not mix: begin a new run with `seatrial run`.",
            )


def _text(value: object) -> str:
    if isinstance(value, Path):
        return value.name
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(part) for part in value)
    return str(value)
