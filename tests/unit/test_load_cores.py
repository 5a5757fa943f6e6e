"""Which cores: of different physical ones where there are any."""

from __future__ import annotations

import json

import pytest

from loadtests import cores


@pytest.mark.parametrize(
    ("printed", "pair"),
    [
        pytest.param('{"0": "0", "1": "1"}', (0, (1,)), id="two cores of one thread"),
        pytest.param('{"0": "0-1\\n", "1": "0-1\\n", "2": "2-3\\n", "3": "2-3\\n"}', (0, (2,)), id="side by side"),
        pytest.param('{"0": "0,4", "1": "1,5", "4": "0,4", "5": "1,5"}', (0, (1,)), id="halves are far apart"),
        pytest.param('{"2": "2,6", "6": "2,6", "7": "3,7"}', (2, (7,)), id="some are kept from containers"),
        pytest.param('{"0": "0-1", "1": "0-1"}', (0, (1,)), id="one physical core only"),
        pytest.param('{"3": "3"}', (3, (3,)), id="one core only"),
        pytest.param('{"10": "10", "9": "9"}', (9, (10,)), id="by number and not by letters"),
        pytest.param('{"0": "", "1": ""}', (0, (1,)), id="the kernel does not say"),
        pytest.param('{"0": "0", "1": "1", "2": "2"}', (0, (1,)), id="the third is left to the engine"),
        pytest.param('{"0": "0", "1": "1", "2": "2", "3": "3"}', (0, (1, 2)), id="two for the generator"),
        pytest.param(
            json.dumps({core: f"{core % 8},{core % 8 + 8}" for core in range(16)}),
            (0, (1, 2, 3, 4)),
            id="no end of cores",
        ),
    ],
)
def test_target_and_generator_get_different_physical_cores_where_there_are(
    printed: str, pair: tuple[int, tuple[int, ...]]
) -> None:
    assert cores.choose(cores.parse(printed)) == pair


@pytest.mark.parametrize("printed", ["", "{}", "[]", "oops", '{"a": "0"}', '{"0": "x"}'])
def test_anything_else_is_no_answer(printed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of its kinds
        cores.parse(printed)
