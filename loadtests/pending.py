"""What a run has to make, in which order, and what of it is still missing. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from harness.model import Guard, Image, LoadTrial, RunProfile, StartSplit, StartTrial, StopTrial, Trial
from loadtests.load_profile import LoadProfile

LoadModel = Literal["closed", "open"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run is to measure."""

    images: Sequence[Image]
    run_profile: RunProfile
    load_profile: LoadProfile
    seed: int
    """Orders the rounds and varies the inputs; recorded, so that a run can be gone through again."""
    live: Callable[[float], None] | None = None
    """See `Setting`."""


@dataclass(frozen=True)
class Slot:
    """One place in a round: a variant under one model of load."""

    image: Image
    model: LoadModel


def round_order(plan: Plan, round_: int) -> list[Slot]:
    """Return a round's slots in their random order: the same for the same seed, whatever was done before."""
    slots = [Slot(image, model) for image in plan.images for model in plan.load_profile.models]
    Random(f"{plan.seed}/{round_}").shuffle(slots)  # noqa: S311 - an order, no secret
    return slots


def attempts(slot: Slot, round_: int, done: Sequence[Trial]) -> list[LoadTrial]:
    """Return the trials that a slot of a round has had so far."""
    return [
        one
        for one in done
        if isinstance(one, LoadTrial) and _is_of(one, slot.image) and (one.model, one.round) == (slot.model, round_)
    ]


def settled(slot: Slot, round_: int, done: Sequence[Trial], repeats: int) -> bool:
    """Say whether a slot needs no further trial: it has a valid one, has had its repeats, or has no hope of one."""
    had = attempts(slot, round_, done)
    return any(one.valid for one in had) or len(had) > repeats or hopeless(slot, done, repeats)


def hopeless(slot: Slot, done: Sequence[Trial], repeats: int) -> bool:
    """Say whether more trials of a variant would be a waste: it answers wrongly, or every attempt of a round failed."""
    had = [one for one in done if isinstance(one, LoadTrial) and _is_of(one, slot.image)]
    if any(breaks_contract(one) for one in had):
        return True
    mine = [one for one in had if one.model == slot.model]
    return len(mine) > repeats and not any(one.valid for one in mine)


def breaks_contract(one: Trial) -> bool:
    """Say whether a trial saw wrong answers, after which its variant gets no numbers."""
    return isinstance(one, LoadTrial) and any(each.guard is Guard.CONTRACT_BROKEN for each in one.broken_guards)


def steps_left(plan: Plan, done: Sequence[Trial]) -> int:
    """Return how many steps `run` will announce as done, repeats of invalid trials apart."""
    profile = plan.load_profile
    pending = sum(
        len(missing_starts(plan, image, done))
        + len(missing_splits(plan, image, done))
        + len(missing_loaded_stops(plan, image, done))
        for image in plan.images
    ) + len(missing_stops(plan, done))
    return pending + sum(
        not settled(slot, round_, done, profile.repeats)
        for round_ in range(1, profile.rounds + 1)
        for slot in round_order(plan, round_)
    )


def missing_starts(plan: Plan, image: Image, done: Sequence[Trial]) -> list[int]:
    """Return the numbers of a variant's start-up trials that are still to be made."""
    there = {one.index for one in done if isinstance(one, StartTrial) and _is_of(one, image)}
    return [index for index in range(1, plan.load_profile.starts + 1) if index not in there]


def start_order(plan: Plan, done: Sequence[Trial]) -> list[tuple[Image, int]]:
    """Return the start-up trials that are still to be made: all first ones in random order, then all second ones."""
    missing = {image.variant: missing_starts(plan, image, done) for image in plan.images}
    found = []
    for index in range(1, plan.load_profile.starts + 1):
        images = list(plan.images)
        Random(f"{plan.seed}/start/{index}").shuffle(images)  # noqa: S311 - an order, no secret
        found += [(image, index) for image in images if index in missing[image.variant]]
    return found


def missing_splits(plan: Plan, image: Image, done: Sequence[Trial]) -> list[int]:
    """Return the numbers of a variant's start splits that are still to be made."""
    there = {one.index for one in done if isinstance(one, StartSplit) and _is_of(one, image)}
    return [index for index in range(1, plan.load_profile.splits + 1) if index not in there]


def missing_stops(plan: Plan, done: Sequence[Trial]) -> list[tuple[Image, int]]:
    """Return the stops that are still to be made."""
    idle = [one for one in done if isinstance(one, StopTrial) and one.load is None]
    there = {(one.variant, one.image_digest, one.index) for one in idle}
    numbers = range(1, plan.load_profile.stops + 1)
    return [
        (image, index)
        for index in numbers
        for image in plan.images
        if (image.variant, image.digest, index) not in there
    ]


def missing_loaded_stops(plan: Plan, image: Image, done: Sequence[Trial]) -> list[int]:
    """Return the numbers of a variant's stops under load that are still to be made."""
    loaded = [one for one in done if isinstance(one, StopTrial) and one.load is not None]
    there = {one.index for one in loaded if _is_of(one, image)}
    return [index for index in range(1, plan.load_profile.loaded_stops + 1) if index not in there]


def _is_of(one: Trial, image: Image) -> bool:
    # Two variants may come to the very same image, so the digest alone does not tell.
    return (one.variant, one.image_digest) == (image.variant, image.digest)


def estimate_s(plan: Plan, done: Sequence[Trial]) -> float:
    """Return about how many seconds `run` will take, for the user's patience only."""
    profile = plan.load_profile
    one_trial_s = profile.warmup_s + profile.measure_s + 3.0
    begun = sum(len(missing_starts(plan, image, done)) for image in plan.images) * 1.3
    begun += sum(len(missing_splits(plan, image, done)) for image in plan.images) * 2.5
    stopped = len(missing_stops(plan, done)) * 2.5 + profile.stop_timeout_s
    stopped += sum(len(missing_loaded_stops(plan, image, done)) for image in plan.images) * 6.0
    slots = sum(
        not settled(slot, round_, done, profile.repeats)
        for round_ in range(1, profile.rounds + 1)
        for slot in round_order(plan, round_)
    )
    return begun + stopped + slots * one_trial_s + profile.rounds
