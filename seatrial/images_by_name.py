"""Images that the engine has and no run is about: inspected and scanned on the spot, compared by their content."""

from __future__ import annotations

from pathlib import Path

from harness.engine.client import Engine
from harness.errors import UsageError
from harness.model import BaseImage, BaseSource, Image, NotMeasured, Results, Say, Scan, Variant
from harness.results import now
from harness.settings import Settings
from harness.sides import Run, Side, as_image, side_of
from images import measure
from seatrial.assessing import assessor
from seatrial.decide import marked
from seatrial.record import describe
from security.scan import scan_image

NOT_BUILT = NotMeasured(not_measured="an image by name was not built here")


def side_of_name(reference: str, name: str, engine: Engine, folder: Path, settings: Settings, say: Say) -> Side:
    """Return an image that the engine has as a side; Python in it is asked for itself, and nothing else of it is run.

    Args:
        reference: a tag or an id.
        name: a file name for its parts.
        engine: where it is.
        folder: where its parts go for the time being.
        settings: which licences and advisories count, and what is accepted.
        say: told what the advisories do.

    Raises:
        UsageError: the engine has no such image.
        UnreadableOutput: it, or what a scanner said of it, cannot be read.

    """
    image = _inspected(reference, name, engine)
    scan = scan_image(
        image,
        dockerfile=None,
        engine=engine,
        sbom_dir=folder,
        files_dir=folder,
        licences=settings.licences,
        assess=assessor(settings, say),
    )
    results = marked(_alone(image, scan, engine), settings)

    def listing(path: str) -> bytes:
        return (folder / Path(path).name).read_bytes()

    return as_image(side_of(Run(results=results, listing=listing), name), reference)


def _inspected(reference: str, name: str, engine: Engine) -> Image:
    found = engine.image(reference)
    if found is None:
        raise UsageError(
            f"{reference!r} is no run, no variant of the run, and no image that the engine has.",
            "Name two runs (folders or ids), two variants, RUN:VARIANT, or two images; pull or build an image first.",
        )
    digest = str(found["Id"])
    contents = measure.contents(engine, digest)
    return Image(
        variant=name,
        reference=reference,
        digest=digest,
        created_at=found["Created"],
        size_bytes=sum(layer.size_bytes for layer in contents.layers),
        compressed_bytes=sum(layer.compressed_bytes for layer in contents.layers),
        wheelhouse_bytes=0,
        layers=contents.layers,
        build_cold_seconds=NOT_BUILT,
        build_cached_seconds=NOT_BUILT,
        built_in_parallel=0,
        builder="",
        base=BaseImage(name="", public="unknown", reference="", digest="", source=BaseSource.ENGINE),
        interpreter=measure.interpreter(engine, digest, name),
        **measure.described(contents.settings),
    )


def _alone(image: Image, scan: Scan, engine: Engine) -> Results:
    """Return results that hold one image and its scan, which is how the metrics are read."""
    return Results(
        run_id="",
        started_at=now(),
        finished_at=None,
        load_profile=None,
        run_profile=None,
        seed=None,
        baseline_variant=None,
        environment=describe(engine),
        settings={},
        variants=(Variant(name=image.variant, dockerfile="", public_bases={}),),
        images=(image,),
        start_trials=(),
        stop_trials=(),
        load_trials=(),
        calibrations=(),
        scans=(scan,),
        verdicts=(),
    )
