"""Builds all variants, as many at a time as there are cores, times it, measures what came of it; nothing twice."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.engine.build_log import steps_not_done
from harness.engine.builder import Builder, BuildRequest, building
from harness.engine.client import Engine
from harness.engine.images import LATEST, remove_superseded, remove_untagged
from harness.engine.labels import INPUTS, ROLE, VARIANT, Role
from harness.errors import BuildFailed
from harness.locks import locked_if_free, waiting_lock
from harness.model import BaseImage, Image, NotMeasured, Say, Variant
from harness.paths import state_dir
from images import measure, records
from images.bases.lookup import as_named
from images.context import APP
from images.parallel import Pool, Timed
from images.plan import Plan, plan_for
from images.variants import dockerfile_path, is_argument

KEPT_IMAGES = 3
"""Of each variant: clones at other commits, on the same engine, would else build theirs anew each time."""
KEPT_BASES = 2


def build_all(
    variants: Sequence[Variant],
    engine: Engine,
    *,
    bases: Callable[[Sequence[str]], Mapping[str, BaseImage]],
    wheels: Callable[[Variant], Sequence[Path]],
    log_dir: Path,
    app: Path = APP,
    parallel: int | None = None,
    force: bool = False,
    builder: str | None = None,
    say: Say = lambda _: None,
    on_line: Callable[[str, str], None] = lambda _variant, _line: None,
    on_built: Callable[[Image], None] = lambda _: None,
) -> list[Image]:
    """Build every variant that is not there yet, and return the record of each, in the order of `variants`.

    First all are built without cache, in parallel, but never two at a time that share a base and so may share steps;
    then each again with it, which is the cached time; then each is measured, so that compressing layers disturbs no
    timing. Images are tagged `seatrial/VARIANT:HASH` and `:latest`.

    Args:
        variants: what to build.
        engine: where.
        bases: public images -> the base to use for each.
        wheels: variant -> the wheels of its lock; asked for variants without a context folder of their own.
        log_dir: one `VARIANT-build.log` each is written there; for an image that is there, the log of its build.
        app: folder of the app that goes into the images.
        parallel: builds at a time; the engine's cores if not given.
        force: build anew what is there.
        builder: `buildkit` or `classic` to force one.
        say: told in one line what begins.
        on_line: given variant and line of each build's output, from several threads.
        on_built: given each record as it is done.

    Raises:
        BuildFailed: a build failed; the others were still tried.
        EngineMissing: the engine no longer answers.
        UsageError: a base that a Dockerfile names without an ARG is neither there nor can be pulled.
        Interrupted: the user stopped it.

    """
    at_once = max(1, min(parallel or int(engine.info().get("NCPU") or 1), len(variants)))
    with _alone(say), building(engine, builder=builder) as tool, tempfile.TemporaryDirectory() as scratch:
        plans = _plans(variants, engine, tool, bases, wheels, app, Path(scratch), say)
        images: dict[str, Image] = {}
        for one in plans:
            if not force and (image := records.find(one, engine, log_dir=log_dir)):
                images[image.variant] = image
                say(f"{image.variant}: built before from the same inputs")
                on_built(image)
        missing = [one for one in plans if one.variant.name not in images]
        failures: list[BuildFailed] = []
        if missing:
            say(f"Building {', '.join(one.variant.name for one in missing)} with {tool.name}, {at_once} at a time")
            build = _Build(engine=engine, tool=tool, log_dir=log_dir, on_line=on_line)
            pool = Pool(at_once, tool)
            cold = pool.map(build.cold, missing, failures, apart=True)
            cached = pool.map(build.cached, list(cold), failures)
            for one, again in cached.items():
                images[one.variant.name] = image = build.record(one, cold[one], again)
                say(f"{image.variant}: built, {image.size_bytes / 1e6:.0f} MB")
                on_built(image)
        built = [one for one in plans if one.variant.name in images]
        for one in built:
            _name_latest(engine, one)
        _remove_superseded(engine, built)
    if failures:
        raise _all_failed(failures)
    return [images[variant.name] for variant in variants]


@dataclass(frozen=True, kw_only=True)
class _Build:
    """How the builds of one call are done."""

    engine: Engine
    tool: Builder
    log_dir: Path
    on_line: Callable[[str, str], None]

    def cold(self, plan: Plan) -> float | NotMeasured:
        """Build without cache; return the seconds, unless the builder did not do all of it."""
        said: list[str] = []
        (self.log_dir / records.log_name(plan)).unlink(missing_ok=True)
        seconds = self._timed(plan, use_cache=False, said=said)
        if left_out := steps_not_done(said):
            return NotMeasured(
                not_measured=f"the builder had the results of {len(left_out)} steps already, though told to use no "
                f"cache: `{left_out[0]}`"
            )
        return seconds

    def cached(self, plan: Plan) -> float:
        """Build again with the cache; return the seconds."""
        return self._timed(plan, use_cache=True, said=[])

    def record(self, plan: Plan, cold: Timed, cached: Timed) -> Image:
        """Measure a built image and remember the record."""
        inspected = self.engine.image(plan.tag)
        if inspected is None:
            raise BuildFailed(
                f"{plan.tag} was built, but the engine has it no more.", "Does something else remove images?"
            )
        contents = measure.contents(self.engine, plan.tag)
        layers = contents.layers
        image = Image(
            variant=plan.variant.name,
            reference=plan.tag,
            digest=inspected["Id"],
            created_at=inspected["Created"],
            size_bytes=sum(layer.size_bytes for layer in layers),
            compressed_bytes=sum(layer.compressed_bytes for layer in layers),
            wheelhouse_bytes=plan.base.wheelhouse_bytes,
            layers=layers,
            build_cold_seconds=cold.seconds,
            build_cached_seconds=cached.seconds,
            built_in_parallel=cold.at_once,
            built_at=datetime.now(UTC),
            builder=self.tool.name,
            base=plan.base,
            build_bases=tuple(plan.bases.values())[:-1],
            interpreter=measure.interpreter(self.engine, plan.tag, plan.variant.name),
            **measure.described(contents.settings),
        )
        records.remember(plan, image, log_dir=self.log_dir)
        return image

    def _timed(self, plan: Plan, *, use_cache: bool, said: list[str]) -> float:
        def heard(line: str) -> None:
            said.append(line)
            self.on_line(plan.variant.name, line)

        request = BuildRequest(
            context=plan.context,
            dockerfile=dockerfile_path(plan.variant),
            tag=plan.tag,
            log=self.log_dir / records.log_name(plan),
            build_args=plan.build_args,
            # Nothing of this run is in them: the same inputs give the same labels.
            labels={ROLE: str(Role.VARIANT), VARIANT: plan.variant.name, INPUTS: plan.inputs},
            use_cache=use_cache,
        )
        before = self.engine.image(plan.tag)
        began = time.monotonic()
        built = self.tool.build(request, heard)
        seconds = time.monotonic() - began
        if before is not None and before["Id"] != built:
            remove_untagged(self.engine, before["Id"])
        return seconds


def _all_failed(errors: Sequence[BuildFailed]) -> BuildFailed:
    hints = dict.fromkeys(error.hint for error in errors if error.hint)
    return BuildFailed("\n".join(error.message for error in errors), " ".join(hints))


def _plans(
    variants: Sequence[Variant],
    engine: Engine,
    tool: Builder,
    bases: Callable[[Sequence[str]], Mapping[str, BaseImage]],
    wheels: Callable[[Variant], Sequence[Path]],
    app: Path,
    scratch: Path,
    say: Say,
) -> list[Plan]:
    """Find every base, and stage every build context."""
    named = [each for variant in variants for each in variant.public_bases.items()]
    outright = {public: as_named(public, engine, say=say) for name, public in named if not is_argument(name)}
    public = list(dict.fromkeys(public for name, public in named if is_argument(name)))
    found = bases(public) if public else {}
    return [
        plan_for(
            variant,
            bases=found,
            outright=outright,
            wheels=wheels,
            app=app,
            into=scratch / variant.name,
            builder=tool.name,
        )
        for variant in variants
    ]


def _name_latest(engine: Engine, one: Plan) -> None:
    """Give the variant's newest image the name `latest`; the one that had it goes if it has no other name."""
    before = engine.image(f"{one.repository}:{LATEST}")
    engine.tag(one.tag, one.repository, LATEST)
    if before is not None and before["Id"] != (engine.image(one.tag) or before)["Id"]:
        remove_untagged(engine, before["Id"])


def _remove_superseded(engine: Engine, plans: Sequence[Plan]) -> None:
    """Remove what newer images of the same variants and made bases have replaced, but the last few."""
    for one in plans:
        gone = remove_superseded(engine, Role.VARIANT, one.repository, current=one.inputs, kept=KEPT_IMAGES)
        records.forget(gone)
    made = {base.reference for one in plans for base in one.bases.values() if base.reference != base.public}
    for reference in made:
        labelled = ((engine.image(reference) or {}).get("Config") or {}).get("Labels") or {}
        repository = reference.rpartition(":")[0]
        remove_superseded(engine, Role.BASE, repository, current=labelled.get(INPUTS, ""), kept=KEPT_BASES)


@contextmanager
def _alone(say: Say) -> Iterator[None]:
    """Hold the lock of builds, so that two runs at once do not build the same images beside each other."""
    path = state_dir() / "build.lock"
    with locked_if_free(path) as free:
        if free:
            yield
            return
    say("Waiting for the builds of another run")
    with waiting_lock(path):
        yield
