"""The search for capacity as a part of a run: of every variant under the run's profiles, kept in the run's folder."""

from __future__ import annotations

from collections.abc import Sequence

from harness.engine.client import Engine
from harness.model import CapacityResult, Image, RunInfo
from loadtests import capacity
from loadtests.load_profile import CapacityPlan
from loadtests.setting import Setting
from seatrial.screen import Screen
from seatrial.workspace import Workspace


def search(
    workspace: Workspace,
    engine: Engine,
    screen: Screen,
    info: RunInfo,
    images: Sequence[Image],
    setting: Setting,
    plan: CapacityPlan,
) -> list[CapacityResult]:
    """Find the capacity of every image; a search that the run's folder holds goes on.

    Raises:
        EngineMissing: the engine went away; the trials so far are kept.

    """
    done = workspace.folder.trials()
    known = {(one.variant, one.run_profile): one for one in workspace.folder.answers(CapacityResult)}
    screen.plan("capacity", len(images), capacity.estimate_s(plan))
    return capacity.run(
        [
            capacity.Subject(
                image=image,
                setting=setting,
                start_rps=capacity.start_rate(plan, image, done),
                known=known.get((image.variant, setting.run_profile.name)),
            )
            for image in images
        ],
        plan,
        seed=info.seed or 0,
        engine=engine,
        store=workspace.folder,
        progress=screen.phase("capacity"),
    )
