"""Whether a version is affected: the OSV schema's rules, held against naive evaluators of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from security.advisories.ranges import Affected, Event, EventKind, describe, evaluate
from security.advisories.versions import InvalidVersion, apk, dpkg, pep440

UNIVERSE = [f"{major}.{minor}{suffix}" for major in range(4) for minor in range(4) for suffix in ("rc1", "", ".post1")]
ORDERED = sorted(UNIVERSE, key=Version)


def events(*pairs: tuple[EventKind, str]) -> tuple[Event, ...]:
    return tuple(Event(kind, version) for kind, version in pairs)


def affected(version: str, *ranges: tuple[Event, ...], versions: Sequence[str] = ()) -> bool:
    return evaluate(version, Affected(versions=tuple(versions), ranges=ranges), pep440).affected


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.0", True), ("2.2.4", True), ("2.2.5", False), ("2.3.0", True), ("2.3.1.post1", True), ("2.3.2", False)],
)
def test_a_range_goes_from_introduced_to_before_fixed(version: str, expected: bool) -> None:
    flask = events(("introduced", "0"), ("fixed", "2.2.5"), ("introduced", "2.3.0"), ("fixed", "2.3.2"))
    assert affected(version, flask) is expected


@pytest.mark.parametrize(("version", "expected"), [("1.9", False), ("2.0", True), ("2.1", True), ("2.1.post1", False)])
def test_the_last_affected_version_is_affected(version: str, expected: bool) -> None:
    assert affected(version, events(("introduced", "2.0"), ("last_affected", "2.1"))) is expected


def test_without_an_end_all_later_versions_are_affected_and_none_fixes_it() -> None:
    said = evaluate("99.0", Affected(ranges=(events(("introduced", "0")),)), pep440)
    assert said.affected
    assert said.fixed_version is None
    assert said.why == "all versions"


@pytest.mark.parametrize(("version", "expected"), [("1.5", True), ("2.0", False), ("3.0", False)])
def test_nothing_is_affected_at_or_after_every_limit(version: str, expected: bool) -> None:
    assert affected(version, events(("introduced", "0"), ("limit", "2.0"))) is expected
    assert affected(version, events(("introduced", "0"), ("limit", "1.0"), ("limit", "2.0"))) is expected
    assert affected(version, events(("introduced", "0"), ("limit", "*")))


def test_listed_versions_are_affected_beside_the_ranges() -> None:
    gap = events(("introduced", "0"), ("fixed", "1.0"))
    assert affected("2.0", gap, versions=["2.0"])
    assert affected("2.0.0", gap, versions=["2.0"]), "equal by PEP 440, written otherwise"
    assert not affected("2.0.1", gap, versions=["2.0"])


def test_a_local_build_is_affected_as_the_public_version_is() -> None:
    assert affected("2.1.0+cpu", versions=["2.1.0"])
    assert not affected("2.1.0", versions=["2.1.0+cpu"])


def test_a_text_that_is_no_version_matches_only_as_it_is_written() -> None:
    assert affected("2004-snapshot", versions=["2004-snapshot"])
    with pytest.raises(InvalidVersion):
        affected("2004-snapshot", events(("introduced", "0")))


def test_a_range_that_cannot_be_read_is_named_and_the_others_still_count() -> None:
    broken, sound = events(("introduced", "0"), ("fixed", "one")), events(("introduced", "1.0"), ("fixed", "2.0"))
    said = evaluate("1.5", Affected(ranges=(broken, sound)), pep440)
    assert said.affected
    assert said.unreadable
    said = evaluate("3.0", Affected(ranges=(broken, sound)), pep440)
    assert not said.affected
    assert said.unreadable


def test_the_fix_is_the_one_of_the_branch_that_is_installed() -> None:
    branches = events(("introduced", "0"), ("fixed", "1.26.17"), ("introduced", "2.0.0"), ("fixed", "2.0.6"))
    for version, fix in (("1.24.1", "1.26.17"), ("2.0.3", "2.0.6")):
        assert evaluate(version, Affected(ranges=(branches,)), pep440).fixed_version == fix
    listed = Affected(versions=("1.0",), ranges=(events(("introduced", "2.0"), ("fixed", "2.5")),))
    assert evaluate("1.0", listed, pep440).fixed_version == "2.5"


def test_a_last_affected_version_names_no_fix() -> None:
    later = events(("introduced", "0"), ("last_affected", "1.0"), ("introduced", "2.0"), ("fixed", "2.5"))
    for version in ("0.5", "1.0"):
        assert evaluate(version, Affected(ranges=(later,)), pep440).fixed_version is None


def test_a_range_is_written_in_order() -> None:
    mixed = events(("introduced", "2.0.0"), ("fixed", "2.0.6"), ("introduced", "0"), ("fixed", "1.26.17"))
    assert describe(mixed, pep440) == "< 1.26.17, or >= 2.0.0, < 2.0.6"


def test_distributions_versions_compare_by_their_own_rules() -> None:
    debian = Affected(ranges=(events(("introduced", "0"), ("fixed", "1:1.2.11.dfsg-2+deb11u2")),))
    assert evaluate("1:1.2.11.dfsg-2", debian, dpkg).affected
    assert evaluate("1:1.2.11.dfsg-2+deb11u2~bpo1", debian, dpkg).affected
    assert not evaluate("1:1.2.11.dfsg-2+deb11u2", debian, dpkg).affected
    alpine = Affected(ranges=(events(("introduced", "0"), ("fixed", "1.2.5-r10")),))
    assert evaluate("1.2.5-r9", alpine, apk).affected
    assert not evaluate("1.2.5-r21", alpine, apk).affected


@st.composite
def intervals(draw: st.DrawFn) -> list[tuple[int, EventKind | None, int]]:
    """Affected stretches of the universe, in order and apart: first place, kind of end, place of the end."""
    places = sorted(draw(st.sets(st.integers(0, len(ORDERED) - 1), max_size=8)))
    found: list[tuple[int, EventKind | None, int]] = []
    for start, end in zip(places[::2], places[1::2], strict=False):
        found.append((start, draw(st.sampled_from(("fixed", "last_affected"))), end))
    if len(places) % 2:
        found.append((places[-1], None, 0))
    return found


@given(intervals(), st.randoms(use_true_random=False))
def test_any_order_of_events_gives_what_the_intervals_say(
    stretches: list[tuple[int, EventKind | None, int]], random: object
) -> None:
    said: list[Event] = []
    inside: set[int] = set()
    for start, kind, end in stretches:
        said.append(Event("introduced", ORDERED[start]))
        if kind is None:
            inside |= set(range(start, len(ORDERED)))
        else:
            said.append(Event(kind, ORDERED[end]))
            inside |= set(range(start, end + (kind == "last_affected")))
    random.shuffle(said)  # type: ignore[attr-defined]
    for place, version in enumerate(ORDERED):
        assert affected(version, tuple(said)) is (place in inside), version


def pseudo_code(version: Version, said: Sequence[Event]) -> bool:
    """The schema's own pseudo code for a range, word for word: events sorted by version, walked once."""
    limits = [e.version for e in said if e.kind == "limit"]
    if limits and not any(limit == "*" or version < Version(limit) for limit in limits):
        return False
    vulnerable = False
    for event in sorted((e for e in said if e.kind != "limit"), key=lambda e: Version(e.version)):
        bound = Version(event.version)
        if event.kind == "introduced" and version >= bound:
            vulnerable = True
        elif (event.kind == "fixed" and version >= bound) or (event.kind == "last_affected" and version > bound):
            vulnerable = False
    return vulnerable


@given(
    st.lists(
        st.builds(Event, st.sampled_from(("introduced", "fixed", "last_affected", "limit")), st.sampled_from(UNIVERSE)),
        max_size=10,
        unique_by=lambda event: event.version,
    ),
    st.sampled_from(UNIVERSE),
)
def test_any_events_give_what_the_pseudo_code_gives(said: list[Event], version: str) -> None:
    expected = pseudo_code(Version(version), said)
    answer = evaluate(version, Affected(ranges=(tuple(said),)), pep440)
    assert answer.affected is expected
    if answer.fixed_version is not None:
        assert Version(answer.fixed_version) > Version(version)
        assert not pseudo_code(Version(answer.fixed_version), said)
