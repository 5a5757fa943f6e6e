"""What is inside two images: packages by their ecosystems' order, vulnerabilities by cause, files, setuid, layers."""

from __future__ import annotations

import pytest

from harness import contents
from harness.errors import UnreadableOutput
from harness.listings import ListedFile, decode, encode
from harness.model import Component, Layer
from security import version_order
from tests.made_records import image
from tests.made_scans import IGNORED, vulnerability


def component(purl: str) -> Component:
    name, _, version = purl.rpartition("/")[2].partition("?")[0].partition("@")
    return Component(variant="x", name=name, version=version, purl=purl, type="library")


def deb(name: str, version: str) -> Component:
    return component(f"pkg:deb/debian/{name}@{version}?distro=debian-13")


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param("pkg:deb/debian/zlib1g@1.3-9?distro=debian-12", "pkg:deb/debian/zlib1g@1.3-10?distro=debian-13",
                     "upgraded", id="dpkg, numbers not letters"),
        pytest.param("pkg:deb/debian/a@1.0-1?distro=debian-13", "pkg:deb/debian/a@1.0~rc1-1?distro=debian-13",
                     "downgraded", id="dpkg, a tilde is before"),
        pytest.param("pkg:pypi/flask@3.0.10", "pkg:pypi/flask@3.0.9", "downgraded", id="PyPI"),
        pytest.param("pkg:pypi/flask@3.1.0rc1", "pkg:pypi/flask@3.1.0", "upgraded", id="PyPI, release candidate"),
        pytest.param("pkg:apk/alpine/a@1.2-r9?distro=alpine-3.23", "pkg:apk/alpine/a@1.2-r10?distro=alpine-3.23",
                     "upgraded", id="apk"),
        pytest.param("pkg:generic/cpython@3.13.9", "pkg:generic/cpython@3.13.10", "upgraded", id="the interpreter"),
        pytest.param("pkg:maven/x/y@1", "pkg:maven/x/y@2", "changed", id="no order is known"),
        pytest.param("pkg:pypi/flask@what", "pkg:pypi/flask@3.1.0", "changed", id="not a version"),
    ],
)  # fmt: skip
def test_versions_are_ordered_by_their_ecosystems_rules(before: str, after: str, change: str) -> None:
    (found,) = contents.packages([component(before)], [component(after)], version_order.order)
    assert (found.change, found.before, found.after) == (change, component(before).version, component(after).version)


def test_packages_added_removed_and_kept() -> None:
    kept, gone, come = deb("libc6", "2.41"), deb("perl", "5.40"), deb("curl", "8")
    found = contents.packages([kept, gone], [kept, come], version_order.order)
    assert {one.name: (one.change, one.before, one.after) for one in found} == {
        "perl": ("removed", "5.40", None),
        "curl": ("added", None, "8"),
    }


def test_a_package_of_the_same_name_in_another_ecosystem_is_another() -> None:
    found = contents.packages([component("pkg:pypi/six@1")], [deb("six", "1")])
    assert [one.change for one in found] == ["added", "removed"]


def test_several_versions_of_one_package_are_told_together() -> None:
    two = [component("pkg:pypi/pip@24.0"), component("pkg:pypi/pip@25.0")]
    (found,) = contents.packages(two, two[:1], version_order.order)
    assert (found.change, found.before, found.after) == ("changed", "24.0, 25.0", "24.0")


def test_a_vulnerability_is_introduced_by_a_package_and_newly_reported_of_one_that_was_there() -> None:
    old, new = deb("libssl3", "3.5.1-1"), deb("libssl3", "3.5.2-1")
    one = vulnerability("CVE-2026-1", "libssl3", installed_version="3.5.2-1")
    (introduced,) = contents.vulnerabilities([], [one], [old], [new])
    assert (introduced.change, introduced.id, introduced.version) == ("introduced", "CVE-2026-1", "3.5.2-1")
    (reported,) = contents.vulnerabilities([], [one], [new], [new])
    assert reported.change == "newly reported"


def test_a_vulnerability_is_fixed_by_a_package_and_may_just_be_no_longer_reported() -> None:
    old, new = deb("libssl3", "3.5.1-1"), deb("libssl3", "3.5.2-1")
    one = vulnerability("CVE-2026-1", "libssl3", installed_version="3.5.1-1")
    assert [each.change for each in contents.vulnerabilities([one], [], [old], [new])] == ["fixed"]
    assert [each.change for each in contents.vulnerabilities([one], [], [old], [old])] == ["no longer reported"]


def test_what_a_decision_suppresses_is_not_told() -> None:
    one = vulnerability("CVE-2026-1", "libssl3", suppressed=IGNORED)
    assert contents.vulnerabilities([], [one], [], []) == ()


FILES = {
    "bin/sh": ListedFile("bin/sh", "symlink", 0o777, 0, 0, 0, "dash"),
    "bin/su": ListedFile("bin/su", "file", 0o4755, 0, 0, 84_000),
    "etc/motd": ListedFile("etc/motd", "file", 0o644, 0, 0, 12),
}


def changed(**files: ListedFile | None) -> dict[str, ListedFile]:
    new = {**FILES, **{name.replace("_", "/"): one for name, one in files.items()}}
    return {name: one for name, one in new.items() if one is not None}


def test_files_added_removed_and_changed_each_with_mode_owner_and_size() -> None:
    after = changed(etc_motd=None, bin_sh=ListedFile("bin/sh", "symlink", 0o777, 0, 0, 0, "bash"),
                    app_x=ListedFile("app/x", "file", 0o644, 10001, 10001, 5))  # fmt: skip
    found = contents.files(FILES, after)
    assert {one.path: (one.change, one.before, one.after) for one in found} == {
        "app/x": ("added", None, "file 0644 10001:10001 5 B"),
        "bin/sh": ("changed", "symlink 0777 0:0 -> dash", "symlink 0777 0:0 -> bash"),
        "etc/motd": ("removed", "file 0644 0:0 12 B", None),
    }


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        pytest.param(0o755, 0o4755, "added", id="setuid gained"),
        pytest.param(0o755, 0o2755, "added", id="setgid gained"),
        pytest.param(0o4755, 0o755, "removed", id="lost"),
        pytest.param(0o4755, 0o6755, "changed", id="both now"),
        pytest.param(0o4755, 0o4755, None, id="as it was"),
    ],
)
def test_setuid_and_setgid(before: int, after: int, change: str | None) -> None:
    sides = [{"x": ListedFile("x", "file", mode, 0, 0, 1)} for mode in (before, after)]
    assert [one.change for one in contents.setuid(*sides)] == ([change] if change else [])


def test_a_setgid_folder_is_no_program() -> None:
    assert contents.setuid({}, {"x": ListedFile("x", "directory", 0o2755, 0, 0, 0)}) == ()


def test_settings_that_only_one_side_has_have_nothing_on_the_other() -> None:
    found = contents.settings({"user": "root", "same": "1"}, {"environment PATH": "/bin", "same": "1"})
    assert [(one.name, one.before, one.after) for one in found] == [
        ("environment PATH", None, "/bin"),
        ("user", "root", None),
    ]


def layer(diff_id: str, by: str, size: int) -> Layer:
    return Layer(diff_id=diff_id, size_bytes=size, compressed_bytes=size // 2, created_by=by)


def test_layers_of_one_instruction_stand_side_by_side() -> None:
    then = image().model_copy(
        update={"layers": (layer("a", "FROM", 9), layer("b", "COPY lib", 5), layer("c", "RUN x", 1))}
    )
    now = image().model_copy(
        update={"layers": (layer("a", "FROM", 9), layer("d", "COPY extra", 7), layer("e", "COPY lib", 6))}
    )
    found = [(one.created_by, one.before_bytes, one.after_bytes, one.same) for one in contents.layers(then, now)]
    assert found == [
        ("FROM", 9, 9, True),
        ("COPY extra", None, 7, False),
        ("COPY lib", 5, 6, False),
        ("RUN x", 1, None, False),
    ]


def test_a_listing_comes_back_as_it_was() -> None:
    odd = ListedFile("etc/zażółć\\u202e", "file", 0o600, 1, 2, 3)
    data = encode([*FILES.values(), odd])
    assert decode(data, "x") == {**FILES, odd.path: odd}
    assert encode([odd, *FILES.values()]) == data


@pytest.mark.parametrize(
    "data",
    [b"", b"no gzip", encode(FILES.values())[:-9], b"\x1f\x8b" + b"\0" * 30],
    ids=["empty", "no gzip", "cut short", "damaged"],
)
def test_a_damaged_listing_is_unreadable_output(data: bytes) -> None:
    with pytest.raises(UnreadableOutput, match="listing x cannot be read"):
        decode(data, "x")
