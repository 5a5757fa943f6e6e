"""How versions compare in each scheme."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.advisories.versions import InvalidVersion, Scheme, apk, dpkg, pep440, scheme_of

APK_ASCENDING = (
    "0.1.0_alpha",
    "0.1.0_alpha1",
    "0.1.0_alpha2",
    "0.1.0_beta",
    "0.1.0_pre1",
    "0.1.0_rc1",
    "0.1.0_rc1-r3",
    "0.1.0_rc2",
    "0.1.0",
    "0.1.0-r0",
    "0.1.0-r2",
    "0.1.0-r10",
    "0.1.0_git20200101",
    "0.1.0_p1",
    "0.1.0_p10",
    "0.1.0a",
    "0.1.0b-r1",
    "0.1.0.1",
    "0.1.1",
    "1.02",
    "1.1",
    "1.2.9",
    "1.2.10",
    "3.5.4-r0",
    "20211220-r0",
)
"""By apk's rules: each is older than all that follow."""
DPKG_ASCENDING = ("1.0~rc1-1", "1.0-1~deb11u1", "1.0-1", "1.0-1+b1", "1.0-1+deb11u1", "1.0-10", "1.0.1-1", "1:0.1-1")


@pytest.mark.parametrize(("scheme", "ascending"), [(apk, APK_ASCENDING), (dpkg, DPKG_ASCENDING)], ids=["apk", "dpkg"])
def test_versions_are_in_their_schemes_order(scheme: Scheme, ascending: tuple[str, ...]) -> None:
    for place, older in enumerate(ascending):
        assert scheme(older) == scheme(older)
        for newer in ascending[place + 1 :]:
            assert scheme(older) < scheme(newer), (older, newer)
            assert not scheme(newer) <= scheme(older), (older, newer)


apk_versions = st.builds(
    lambda parts, letter, suffix, revision: ".".join(map(str, parts)) + letter + suffix + revision,
    st.lists(st.integers(0, 12), min_size=1, max_size=3),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from(["", "_rc1", "_p1", "_git2", "_alpha_p1"]),
    st.sampled_from(["", "-r0", "-r11"]),
)


@given(apk_versions, apk_versions, apk_versions)
def test_apks_order_is_an_order(one: str, two: str, three: str) -> None:
    a, b, c = apk(one), apk(two), apk(three)
    assert (a < b) + (b < a) + (a == b) == 1
    if a <= b and b <= c:
        assert a <= c


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        (apk, "one"),
        (apk, "1.2-3"),
        (apk, "1_foo"),
        (apk, ""),
        (dpkg, ""),
        (dpkg, "1.0 2"),
        (dpkg, "1/0"),
        (pep440, "1.0-beta-x"),
        (pep440, "1" * 600),
        (apk, "1." * 300 + "1"),
        (dpkg, "1" * 600),
    ],
)
def test_what_is_no_version_is_refused(scheme: Scheme, text: str) -> None:
    with pytest.raises(InvalidVersion):
        scheme(text)


def test_an_unknown_ecosystem_has_no_scheme() -> None:
    assert scheme_of("Debian:13") is dpkg
    assert scheme_of("PyPI") is pep440
    assert scheme_of("generic") is None
