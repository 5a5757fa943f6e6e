"""The report's facts: where a base came from, and when a build was timed."""

from __future__ import annotations

from datetime import UTC, datetime

from harness.model import BaseSource, Image
from report import facts
from tests import results_factory

MADE = results_factory.make().results


def changed(**changes: object) -> tuple[Image, ...]:
    return tuple(image.model_copy(update=changes) for image in MADE.images)


def test_every_source_of_a_base_has_words_of_its_own() -> None:
    said = {
        source: {
            one.source
            for one in facts.bases(
                MADE.model_copy(
                    update={"images": changed(base=MADE.images[0].base.model_copy(update={"source": source}))}
                )
            )
        }
        for source in BaseSource
    }
    assert all(len(words) == 1 for words in said.values())
    assert len({words for each in said.values() for words in each}) == len(BaseSource)


def test_a_build_that_an_earlier_run_timed_is_called_so() -> None:
    when = datetime(2026, 3, 5, tzinfo=UTC)
    earlier = MADE.model_copy(update={"images": changed(built_earlier=True, built_at=when)})
    now = MADE.model_copy(update={"images": changed(built_earlier=False, built_at=when)})
    assert all("timed by an earlier run, 5 March 2026" in one.built for one in facts.images(earlier))
    assert not any("earlier" in one.built for one in facts.images(now))
