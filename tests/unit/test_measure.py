"""What an image says of itself is read as it is; what cannot be read is not measured, with the reason."""

from __future__ import annotations

import contextlib
import io
import json
import sys

import pytest

from harness.model import HealthCheck, Interpreter, NotMeasured
from images.measure import DESCRIBE, described, health_check, parse_interpreter

DEBIAN = "'--enable-shared' '--prefix=/usr' '--with-dbmliborder=bdb:gdbm' '--without-ensurepip'"
ALPINE = "'--enable-shared' '--with-lto' '--with-ensurepip' 'build_alias=x86_64-linux-musl'"
PUBLIC_SLIM = "'--enable-optimizations' '--with-lto' '--enable-shared'"


def printed(config_args: str) -> str:
    return json.dumps(
        {
            "implementation": "cpython",
            "version": "3.13.5",
            "compiler": "GCC 14.2.0",
            "libc": "glibc 2.41",
            "config_args": config_args,
        }
    )


@pytest.mark.parametrize(
    ("config_args", "pgo", "lto"),
    [(DEBIAN, True, True), (ALPINE, False, True), (PUBLIC_SLIM, True, True), ("", False, False)],
    ids=["debian", "alpine", "public-slim", "plain"],
)
def test_build_flags_tell_pgo_and_lto(config_args: str, pgo: bool, lto: bool) -> None:
    found = parse_interpreter(printed(config_args))
    assert isinstance(found, Interpreter)
    assert (found.pgo, found.lto, found.config_args) == (pgo, lto, config_args)


@pytest.mark.parametrize("text", ["", "Hello", "[]", "{}", '{"config_args": 1}'])
def test_an_unreadable_description_is_not_measured(text: str) -> None:
    assert isinstance(parse_interpreter(text), NotMeasured)


def test_this_python_describes_itself() -> None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(DESCRIBE, {})  # noqa: S102 - the script that runs inside images
    found = parse_interpreter(output.getvalue())
    assert isinstance(found, Interpreter)
    assert found.version == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (None, None),
        ({}, None),
        ({"Test": ["NONE"]}, None),
        (
            {"Test": ["CMD", "a"], "Interval": 30_000_000_000, "Timeout": 3_000_000_000, "Retries": 3},
            HealthCheck(test=("CMD", "a"), interval_s=30, timeout_s=3, start_period_s=None, retries=3),
        ),
    ],
)
def test_health_checks(config: dict[str, object] | None, expected: HealthCheck | None) -> None:
    assert health_check(config) == expected


def test_an_image_without_any_settings() -> None:
    found = described({"Entrypoint": None})
    assert (found["user"], found["entrypoint"], found["exposed_ports"], found["healthcheck"]) == ("", (), (), None)
