"""What a run was asked beyond the usual: each part by itself, and what it was not asked, with the command for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.metrics import Measurements
from harness.samples import Histogram
from report import (
    attacks,
    capacity,
    duels,
    experiments,
    exposure,
    neighbours,
    questions,
    response,
    seccomps,
    soaks,
    starts,
    stops,
    tunings,
)
from report.tables import Section


@dataclass(frozen=True, kw_only=True)
class Sections:
    """The parts of the page that a run may lack; None, or without tables, where it does."""

    questions: tuple[questions.Question, ...]
    response: response.ResponseChart | None
    starts: starts.StartChart | None
    exposure: exposure.Scatter
    attacks: attacks.AttackMatrix | None
    soaks: soaks.Soaks | None
    capacity: Section
    stops: Section
    seccomp: Section
    neighbours: Section
    costs: Section
    duels: Section
    tunings: Section
    not_asked: tuple[tuple[str, str], ...]
    """What was not asked in this run, and the command that asks it."""

    @property
    def asked(self) -> tuple[Section, ...]:
        """Return the sections that are made of tables and stand by themselves, in the page's order."""
        return (self.seccomp, self.neighbours, self.costs, self.duels, self.tunings)


def of(measured: Measurements, histogram: Histogram | None, order: Sequence[str]) -> Sections:
    """Read all of it out of a run.

    Raises:
        UnreadableOutput: a histogram file is missing or damaged.

    """
    results = measured.results
    found = Sections(
        questions=questions.questions(results),
        response=response.chart(measured, histogram, order),
        starts=starts.split(measured, order),
        exposure=exposure.scatter(measured, order),
        attacks=attacks.matrix(results, order),
        soaks=soaks.soaks(results),
        capacity=capacity.section(results, order),
        stops=stops.section(results, order),
        seccomp=seccomps.section(results, order),
        neighbours=neighbours.section(results),
        costs=experiments.section(results),
        duels=duels.section(results),
        tunings=tunings.section(results),
        not_asked=(),
    )
    return replace(found, not_asked=tuple(how for name, how in COMMANDS.items() if not _asked(getattr(found, name))))


def _asked(part: object) -> bool:
    return part.asked if isinstance(part, Section) else part is not None


COMMANDS = {
    "response": ("Latency at an offered rate, service time beside it", "seatrial run --load-profile full"),
    "starts": ("Where a start's time goes: engine, interpreter, import", "seatrial run --load-profile full"),
    "stops": ("Requests lost when a container is stopped under load", "seatrial run --load-profile full"),
    "capacity": ("The highest rate that each variant holds", "seatrial capacity"),
    "attacks": ("What an attacker inside each container can do", "seatrial probe"),
    "seccomp": ("A seccomp profile of each image's own, proved and priced", "seatrial seccomp VARIANT"),
    "neighbours": ("What neighbours on the same core do to a variant", "seatrial neighbours VARIANT"),
    "costs": (
        "What hardening, network path, CPU limits, workers or the container itself cost",
        "seatrial cost VARIANT --of hardening",
    ),
    "duels": ("Whether one variant is slower than another, on a noisy machine", "seatrial duel A B"),
    "tunings": ("The workers and threads with which gunicorn serves most", "seatrial tune VARIANT"),
    "soaks": ("Whether memory grows under a long load", "seatrial soak VARIANT --minutes 10"),
}
