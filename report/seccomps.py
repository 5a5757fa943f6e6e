"""Seccomp profiles made for one image: what they allow and close, what proves them, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Results, SeccompProfile
from report.tables import Cell, Column, Section, axis_of, ratio, table, words

ABOUT = (
    "A seccomp profile of an image's own allows only the system calls that it was seen to make. It is proved by doing "
    "again, under it, all that a container does; costs are over the engine's default seccomp profile."
)


def section(results: Results, order: Sequence[str]) -> Section:
    """Read every seccomp profile that a run made."""
    found = sorted(results.seccomps, key=lambda one: order.index(one.variant) if one.variant in order else len(order))
    if not found:
        return Section(anchor="seccomp", title="Seccomp profiles", about=ABOUT)
    axis = axis_of(cost for one in found for cost in (one.cost, one.cpu_cost))
    columns = (
        Column(title="Variant"),
        Column(title="Allows", below="system calls", number=True),
        Column(title="The default allows", below="system calls", number=True),
        Column(title="Closed", below="of the default's", number=True),
        Column(title="Proof", wide=True),
        Column(title="Request time", below="over the default's", number=True),
        Column(title="CPU a request", below="over the default's", number=True),
    )
    shown = table(
        "Seccomp profiles made for each image",
        columns,
        [_row(one, axis) for one in found],
        caption="System calls are counted, so they have no interval; ratios with their 95% intervals, n = pairs of "
        "fresh containers. A profile holds for its own machine type only.",
        file="seccomp",
    )
    return Section(
        anchor="seccomp",
        title="Seccomp profiles",
        about=ABOUT,
        tables=(shown,),
        notes=tuple(_note(one) for one in found),
    )


def _row(one: SeccompProfile, axis: float) -> tuple[Cell, ...]:
    broken = "; ".join(f"{proof.name} {proof.outcome}: {proof.evidence}" for proof in one.broken)
    held = sum(proof.outcome == "held" for proof in one.proofs)
    proof = (
        words(f"proved: all of {held} held", "good", more=", ".join(proof.name for proof in one.proofs))
        if one.proved
        else words(f"not proved: {held} of {len(one.proofs)} held", "bad", more=broken)
    )
    return (
        words(one.variant, more=f"under {one.run_profile}"),
        _count(len(one.allowed)),
        _count(one.default_calls),
        _count(len(one.closed)),
        proof,
        ratio(one.cost, lower_is_better=True, axis=axis),
        ratio(one.cpu_cost, lower_is_better=True, axis=axis),
    )


def _note(one: SeccompProfile) -> str:
    where = f"`--run-profile {one.run_profile_file}` in the run's folder uses it" if one.run_profile_file else ""
    line = (
        f"{one.variant}: recorded by {one.recorder} on {one.architecture}, kernel {one.kernel}, {one.runtime.runtime}"
    )
    return f"{line}; {where or 'no run profile was written, since it is not proved'}."


def _count(value: int) -> Cell:
    return Cell(text=str(value), data=(("", value),))
