"""Locks are read strictly, and judged for the Python that the wheels are for, not for the one that runs this."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.paths import cache_dir
from images import wheels
from images.wheels import Target, applying, parse_lock

A, B = "a" * 64, "b" * 64
LOCK = f"""\
# made by hand
Flask-Cors[x]==6.0.5 ; python_full_version < '3.10' \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
    # via nothing
colorama==0.4.6 ; sys_platform == 'win32' --hash=sha256:{A}
click==8.1.8 --hash=sha256:{B}
"""
GLIBC_39 = Target(python="3.9", libc="glibc", libc_minor=31)
MUSL_313 = Target(python="3.13", libc="musl", libc_minor=2)


def test_a_lock_is_read() -> None:
    first, second, third = parse_lock(LOCK)
    assert (first.name, first.version, first.sha256) == ("flask-cors", "6.0.5", frozenset({A, B}))
    assert first.marker == "python_full_version < '3.10'"
    assert second.marker == "sys_platform == 'win32'"
    assert (third.name, third.marker, third.sha256) == ("click", "", frozenset({B}))


@pytest.mark.parametrize(
    "line",
    [
        "flask",
        "flask==3.1.3",
        "flask>=3 --hash=sha256:" + A,
        "flask==3.1.3 --hash=md5:abc",
        "flask @ file:///x.whl --hash=sha256:" + A,
        "--index-url=https://example.org/simple",
        "-r other.txt",
        "-e .",
    ],
)
def test_what_is_not_pinned_by_hash_is_refused(line: str) -> None:
    with pytest.raises(UsageError, match="not an exact version"):
        parse_lock(line + "\n")


@pytest.mark.parametrize(
    ("target", "names"), [(GLIBC_39, ["flask-cors", "click"]), (MUSL_313, ["click"])], ids=["3.9", "3.13"]
)
def test_markers_are_judged_for_the_target(target: Target, names: list[str]) -> None:
    assert [one.name for one in applying(parse_lock(LOCK), target)] == names


def test_a_marker_that_cannot_be_read_is_an_error_of_the_lock() -> None:
    with pytest.raises(UsageError, match="marker"):
        applying(parse_lock(f"a==1 ; nonsense --hash=sha256:{A}\n"), GLIBC_39)


def test_platforms_are_those_that_the_libc_runs_best_first() -> None:
    glibc = GLIBC_39.platforms
    assert glibc[0] == "manylinux_2_31_x86_64"
    assert glibc.index("manylinux_2_17_x86_64") + 1 == glibc.index("manylinux2014_x86_64")
    assert "manylinux_2_34_x86_64" not in glibc
    assert MUSL_313.platforms == ["musllinux_1_2_x86_64", "musllinux_1_1_x86_64", "musllinux_1_0_x86_64"]


def test_cached_wheels_are_used_without_starting_anything(tmp_path: Path) -> None:
    wheel = b"as good as a wheel"
    lock = tmp_path / "lock.txt"
    lock.write_text(f"x==1 --hash=sha256:{hashlib.sha256(wheel).hexdigest()}\n")
    wanted = parse_lock(lock.read_text())
    key = hashlib.sha256(repr((sorted(map(wheels._line, wanted)), GLIBC_39)).encode()).hexdigest()[:16]
    folder = cache_dir() / "wheels" / f"lock-{key}"
    folder.mkdir(parents=True)
    (folder / "x-1-py3-none-any.whl").write_bytes(wheel)
    said: list[str] = []
    found = wheels.fetch(lock, GLIBC_39, say=said.append)
    assert [path.name for path in found.files] == ["x-1-py3-none-any.whl"]
    assert found.size_bytes == len(wheel)
    assert said == []


@pytest.mark.parametrize("damage", ["changed", "missing", "one-too-many"])
def test_damage_in_the_cache_is_seen(tmp_path: Path, damage: str) -> None:
    wheel = tmp_path / "x-1-py3-none-any.whl"
    wheel.write_bytes(b"right")
    wanted = parse_lock(f"x==1 --hash=sha256:{hashlib.sha256(b'right').hexdigest()}\n")
    assert wheels._trouble(tmp_path, wanted) == ""
    if damage == "changed":
        wheel.write_bytes(b"wrong")
    elif damage == "missing":
        wheel.unlink()
    else:
        (tmp_path / "y-1-py3-none-any.whl").write_bytes(b"other")
    assert wheels._trouble(tmp_path, wanted) != ""


def test_every_lock_of_the_bases_is_one() -> None:
    locks = sorted((Path(wheels.__file__).parent / "bases").glob("*.txt"))
    assert len(locks) >= 5
    for lock in locks:
        assert parse_lock(lock.read_text("utf-8")), lock.name
        assert "://" not in lock.read_text("utf-8"), lock.name
