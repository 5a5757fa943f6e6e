"""Question 2: what does the base cost, and what does the server cost?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from harness import interpreters
from harness.asked.one_thing import experiment_table
from harness.asked.tables import cells, column, difference, differences
from harness.metrics import Measurements
from harness.model import (
    AskedCell,
    AskedQuestion,
    AskedRow,
    AskedTable,
    Image,
    LoadTrial,
    NotMeasured,
    Ratio,
    SlicedComparison,
)
from harness.samples import image_of

QUESTION = "What does the base cost, and what does the server cost?"
GUNICORN = "gunicorn"
COLUMNS = tuple(
    column(name)
    for name in ("throughput_rps", "p50_ms", "p99_ms", "cpu_ms_per_request", "startup_seconds", "compressed_bytes")
)
SLICED = tuple(column(name) for name in ("throughput_rps", "cpu_ms_per_request", "p99_ms"))


def answer(measured: Measurements) -> AskedQuestion:
    """Answer it.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    results = measured.results
    bases, servers = _by_base(measured), _by_server(measured)
    classes = [one for one in results.experiments if one.question == "classes"]
    sliced = _by_slices(results.sliced)
    tables = [
        AskedTable(title="The same server on different bases", columns=COLUMNS, rows=bases),
        AskedTable(title="Different servers on the same base", columns=COLUMNS, rows=servers),
        *(experiment_table(one) for one in classes),
    ]
    if sliced:
        tables.append(AskedTable(title="Two variants in slices", columns=SLICED, rows=sliced))
    sentences = [
        line for row in (*bases, *servers) for line in differences(row.variant, COLUMNS[:4], row.cells, row.against)
    ]
    sentences += [line for one in results.sliced for line in _sliced_sentence(one)]
    missing = []
    if not any(isinstance(one, LoadTrial) for one in results.load_trials):
        missing.append("No variant was loaded: `seatrial load` does it.")
    if not classes:
        missing.append("gunicorn's worker classes were not compared: `seatrial cost VARIANT --of classes` does it.")
    return AskedQuestion(
        number=2,
        question=QUESTION,
        sentences=(*sentences, *stand_ins(results.images)),
        tables=tuple(one for one in tables if one.rows),
        remarks=(
            "A base is libc, interpreter, compiler, build flags and patch release together: what differs stands beside "
            "each figure.",
        ),
        missing=tuple(missing),
    )


def stand_ins(images: Iterable[Image]) -> tuple[str, ...]:
    """Return a sentence for each base that was made from packages: what holds of it need not hold of the public one."""
    found: dict[str, str] = {}
    for image in images:
        if image.base.stand_in_for:
            found[image.base.public] = image.base.stand_in_for
    return tuple(
        f"What is said of {public} is said of a stand-in, whose libc, compiler, build flags and patch release differ "
        f"together, and need not hold of the public image. {why}"
        for public, why in found.items()
    )


def server_of(image: Image) -> str:
    """Return the server of an image by its command: gunicorn, or its own, which is Flask's in the sample app."""
    words = [*image.entrypoint, *image.command]
    return GUNICORN if any(word.rpartition("/")[2] == GUNICORN for word in words) else "the app's own server"


def _by_base(measured: Measurements) -> tuple[AskedRow, ...]:
    """Set variants of one server against each other, over that on the base that most variants have."""
    images = _images(measured)
    often = Counter(image.base.public for image in images)
    sized = {image.base.public: image.size_bytes for image in images}
    usual = max(often, key=lambda public: (often[public], sized[public], public), default="")
    rows = []
    for server in sorted({server_of(image) for image in images}):
        mine = [image for image in images if server_of(image) == server]
        base = next((image.variant for image in mine if image.base.public == usual), None)
        if base is not None and len(mine) > 1:
            rows += [_row(measured, image, server, base) for image in mine]
    return tuple(rows)


def _by_server(measured: Measurements) -> tuple[AskedRow, ...]:
    """Set variants on one base against each other, over that with its own server."""
    images = _images(measured)
    rows = []
    for public in sorted({image.base.public for image in images}):
        mine = [image for image in images if image.base.public == public]
        base = next((image.variant for image in mine if server_of(image) != GUNICORN), None)
        if base is not None and len(mine) > 1:
            rows += [_row(measured, image, public, base).model_copy(update={"facts": {}}) for image in mine]
    return tuple(rows)


def _images(measured: Measurements) -> list[Image]:
    found = (image_of(measured.results, one.name) for one in measured.results.variants)
    return [one for one in found if one is not None]


def _row(measured: Measurements, image: Image, series: str, base: str) -> AskedRow:
    against = None if image.variant == base else base
    return AskedRow(
        variant=image.variant,
        way=server_of(image),
        series=series,
        against=against,
        cells=cells(measured, COLUMNS, image.variant, against),
        facts={"base": interpreters.base_of(image), "interpreter": interpreters.described(image)},
    )


def _by_slices(comparisons: Iterable[SlicedComparison]) -> tuple[AskedRow, ...]:
    return tuple(_sliced_row(one) for one in comparisons if one.a.variant != one.b.variant)


def _sliced_row(one: SlicedComparison) -> AskedRow:
    none = NotMeasured(not_measured="slices give ratios only")
    ratios = (one.throughput, one.cpu_seconds_per_request, one.latency_p99)
    return AskedRow(
        variant=one.b.variant,
        way="in slices",
        against=one.a.variant,
        series="slices",
        cells={
            each.name: AskedCell(value=none, ratio=ratio) for each, ratio in zip(SLICED, ratios, strict=True)
        },
        facts={
            "base": one.b.base, "interpreter": one.b.interpreter,
            "base of the other": one.a.base, "interpreter of the other": one.a.interpreter,
        },
    )  # fmt: skip


def _sliced_sentence(one: SlicedComparison) -> list[str]:
    if one.a.variant == one.b.variant or not isinstance(one.throughput, Ratio):
        return []
    return [difference(f"{one.b.variant}, in slices", SLICED[0], one.throughput, one.a.variant)]
