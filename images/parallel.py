"""Builds beside each other, in threads; two that could share steps never at the same time where that would spoil times.

BuildKit does a step that two running builds have in common only once, also where it is told to use no cache: the second
build would be timed without it. Builds that follow each other share nothing then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from harness.engine.builder import Builder
from harness.errors import BuildFailed
from harness.model import NotMeasured
from images.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Timed:
    """How long one build took."""

    seconds: float | NotMeasured
    at_once: int
    """The most builds that ran while it did, itself among them."""


class Pool:
    """Threads whose builds are stopped when the user ends it all.

    Args:
        size: builds at a time.
        tool: stops its builds once its `cancel` is set.

    """

    def __init__(self, size: int, tool: Builder) -> None:
        self._size = size
        self._tool = tool

    def map(
        self,
        work: Callable[[Plan], float | NotMeasured],
        plans: Sequence[Plan],
        failures: list[BuildFailed],
        *,
        apart: bool = False,
    ) -> dict[Plan, Timed]:
        """Return what `work` gives for each plan; builds that fail go to `failures`, and the others go on.

        Args:
            work: builds one, and returns the seconds.
            plans: what is built.
            failures: is added to.
            apart: keep builds that share a base from running at the same time.

        """
        waiting = in_order(plans) if apart else list(plans)
        running: dict[Future[float | NotMeasured], Plan] = {}
        company: dict[Plan, int] = {}
        done: dict[Plan, Timed] = {}
        with ThreadPoolExecutor(self._size, thread_name_prefix="build") as pool:
            try:
                while waiting or running:
                    while len(running) < self._size and (plan := next_of(waiting, running.values(), apart=apart)):
                        waiting.remove(plan)
                        running[pool.submit(work, plan)] = plan
                    company |= {plan: max(company.get(plan, 0), len(running)) for plan in running.values()}
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        plan = running.pop(future)
                        try:
                            done[plan] = Timed(seconds=future.result(), at_once=company[plan])
                        except BuildFailed as error:
                            failures.append(error)
            except BaseException:
                self._tool.cancel.set()
                pool.shutdown(cancel_futures=True)
                raise
        return {plan: done[plan] for plan in plans if plan in done}


def in_order(plans: Sequence[Plan]) -> list[Plan]:
    """Put those first that share a base with the most others, so that no core waits for the last of them alone."""
    return sorted(plans, key=lambda plan: sum(plan.shares_a_base(other) for other in plans), reverse=True)


def next_of(waiting: Sequence[Plan], running: Collection[Plan], *, apart: bool) -> Plan | None:
    """Return the first plan that may start beside those that run; None where there is none now."""
    return next((plan for plan in waiting if not (apart and any(plan.shares_a_base(other) for other in running))), None)
