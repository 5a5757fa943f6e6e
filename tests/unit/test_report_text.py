"""Text from outside is shown as text: no invisible characters, no Markdown, no spreadsheet formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from report import text
from tests.results_factory import HOSTILE


@given(st.text())
def test_clean_text_has_no_invisible_character(raw: str) -> None:
    cleaned = text.clean(raw)
    assert not [c for c in cleaned if unicodedata.category(c) in text.INVISIBLE]
    assert cleaned.splitlines() in ([], [cleaned])


def test_direction_turning_and_escape_characters_are_spelled_out() -> None:
    assert text.clean("a\u202eb\x1b[31m\nc") == "a⟨U+202E⟩b⟨U+001B⟩[31m c"


def test_long_text_is_cut_and_says_so() -> None:
    assert text.shortened("x" * 500, 10) == "x" * 9 + "…"
    assert text.shortened("short", 10) == "short"


@pytest.mark.parametrize("raw", HOSTILE)
def test_markdown_shows_hostile_text_as_it_is(raw: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").render(text.markdown(raw))
    for forbidden in ("<script", "<img", "<svg", "<b>", "<a ", "<code", "<table", "<em", "<strong"):
        assert forbidden not in rendered


@given(st.text(max_size=60))
def test_markdown_of_any_text_is_one_paragraph_without_markup(raw: str) -> None:
    # In a table's cell or after a sentence's beginning, so no line starts with it.
    rendered = MarkdownIt("commonmark", {"html": True}).render("said: " + text.markdown(raw))
    assert rendered.startswith("<p>said:")
    assert rendered.count("<") == 2


@pytest.mark.parametrize("raw", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_of_a_csv_is_a_formula(raw: str) -> None:
    cell = next(csv.reader(io.StringIO(text.csv_text(("h",), [(raw,)]).split("\n", 1)[1])))[0]
    assert not cell.startswith(text.FORMULA)


def test_numbers_and_gaps_in_a_csv() -> None:
    assert text.csv_text(("a", "b", "c"), [(1.23456789, None, "x,y")]) == 'a,b,c\n1.23457,,"x,y"\n'


def test_a_data_link_carries_the_csv_and_nothing_that_ends_an_attribute() -> None:
    link = text.data_link('a,"b"\n<i>\n')
    assert not set(link) & set("\"'<> \n")
    assert unquote(link.partition(",")[2]) == 'a,"b"\n<i>\n'
