"""The contract: the right answer passes, every change to it is seen, and no constant reply can pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import contract
from loadtests.cases import Answer, Case


def right(case: Case) -> Answer:
    headers = {**case.headers, "content-type": f"{case.content_type}; charset=utf-8", "server": "gunicorn"}
    return Answer(status=case.status, headers=headers, body=case.answer, seconds=case.at_least_s)


def without_header(answer: Answer) -> Answer:
    return dataclasses.replace(answer, headers={k: v for k, v in answer.headers.items() if k != "x-frame-options"})


def with_header(answer: Answer, name: str, value: str) -> Answer:
    return dataclasses.replace(answer, headers={**answer.headers, name: value})


CHANGES: dict[str, Callable[[Answer], Answer]] = {
    "another status": lambda a: dataclasses.replace(a, status=a.status + 1),
    "a header is missing": without_header,
    "a header is weaker": lambda a: with_header(a, "cache-control", "public"),
    "another type": lambda a: with_header(a, "content-type", "image/png"),
    "another charset": lambda a: with_header(a, "content-type", a.headers["content-type"].replace("utf-8", "latin-1")),
    "a version is named": lambda a: with_header(a, "server", "Werkzeug/3.1.3 Python/3.13.5"),
    "a byte more": lambda a: dataclasses.replace(a, body=a.body + b"\n"),
    "a byte less": lambda a: dataclasses.replace(a, body=a.body[:-1] or b"?"),
}

EXAMINATION = contract.examination(Random(1))
BODIED = [case for case in EXAMINATION if case.method != "HEAD"]


@pytest.mark.parametrize("endpoint", list(contract.JOURNEYS))
@given(seed=st.integers())
def test_the_right_answer_has_no_fault(endpoint: str, seed: int) -> None:
    case = contract.case(endpoint, Random(seed))
    assert case.faults(right(case)) == []
    assert case.endpoint == endpoint
    assert case.target.isascii()
    assert not set(case.target) & set(" <>\"'#")


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_any_answer_is_seen(change: str) -> None:
    for case in BODIED:
        assert case.faults(CHANGES[change](right(case))), f"{case.method} {case.target}"


def test_an_answer_that_came_too_soon_is_seen() -> None:
    case = contract.case("io", Random(1))
    early = dataclasses.replace(right(case), seconds=case.at_least_s / 2)
    assert case.faults(early)


@pytest.mark.parametrize("endpoint", ["plaintext", "json", "fortunes", "echo", "cpu", "io"])
def test_no_constant_reply_passes_an_examination(endpoint: str) -> None:
    cases = [case for case in EXAMINATION if case.endpoint == endpoint and case.status == 200]
    for reply in map(right, cases):
        assert any(case.faults(reply) for case in cases)


def test_an_examination_covers_every_endpoint_and_the_errors() -> None:
    assert {case.endpoint for case in EXAMINATION} >= {*contract.JOURNEYS, "healthz"}
    assert {case.status for case in EXAMINATION} == {200, 400, 404, 405, 413}


def test_examinations_ask_something_else_each_time() -> None:
    first, second = (
        {
            case.target
            for case in contract.examination(Random(seed))
            if "message=" in case.target or "row=" in case.target
        }
        for seed in (1, 2)
    )
    assert len(first & second) <= 2  # those that are too long by one character
    assert len(first) > 10


def test_known_counts_of_primes() -> None:
    counted = {case.target: case.answer for case in EXAMINATION if case.endpoint == "cpu" and case.status == 200}
    assert counted["/cpu"] == b'{"n":10000,"primes":1229}\n'
    assert counted["/cpu?n=50000"] == b'{"n":50000,"primes":5133}\n'


def test_the_table_of_fortunes_escapes_markup_and_keeps_other_scripts() -> None:
    (case,) = (case for case in EXAMINATION if case.target == "/fortunes")
    text = case.answer.decode()
    assert "<script>" not in text
    assert "&lt;script&gt;alert(&#34;" in text
    assert "フレームワークのベンチマーク" in text
    assert text.count("<tr>") == 14
