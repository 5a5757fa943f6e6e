"""The report in a real browser: silent, self-contained, safe, and usable by keyboard, on a phone and in both themes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from harness import budgets, debian, verdicts
from harness.errors import SeatrialError
from harness.paths import ROOT
from report import html, trend
from tests.browser import FLAGS, installed
from tests.hostile_models import hostile_parts
from tests.results_factory import HOSTILE, make

CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(e).backgroundColor);
      if (a > 0.99) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    if (["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const one = light(parse(getComputedStyle(element).color).slice(0, 3)), two = light(behind(element));
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    seen += 1;
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)}: ${element.className} ${element.textContent.trim().slice(0, 40)}`);
  }
  return [seen, poor];
}"""
UNNAMED = """() => [
  ...[...document.querySelectorAll("[role=img], [role=region]")].filter((e) => !e.getAttribute("aria-label")),
  ...[...document.querySelectorAll("table th")].filter((e) => !e.getAttribute("scope")),
  ...[...document.querySelectorAll("input, select")].filter((e) => !e.labels.length),
  ...[...document.querySelectorAll("section")].filter(
    (e) => !document.getElementById(e.getAttribute("aria-labelledby"))),
].map((e) => e.outerHTML.slice(0, 120))"""


@dataclass
class Heard:
    """What a page said and asked for while it was open."""

    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if installed() is None:
        try:
            debian.ensure(["chromium"], say=print)
        except SeatrialError as error:
            pytest.skip(f"no Chromium: {error.message}")
    chromium = installed()
    assert chromium is not None
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made, earlier = make(hostile=True), make(seed=2, machine=1.4)
    limits = budgets.load(ROOT / "tests" / "comparison" / "budgets.toml").budgets
    judged = verdicts.judge(made.results, limits, made.histogram)
    results = hostile_parts(made.results.model_copy(update={"verdicts": judged}))
    path = tmp_path_factory.mktemp("report") / "report.html"
    html.write(
        results,
        path,
        histogram=made.histogram,
        previous=earlier.results,
        previous_histogram=earlier.histogram,
    )
    return path


@pytest.fixture(scope="module")
def trend_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = []
    for day in range(4):
        made = make(seed=day, hostile=True, run_id=f"run-{day}")
        results = made.results.model_copy(update={"started_at": made.results.started_at + timedelta(days=day)})
        runs.append(trend.TrendRun(results=results, histogram=made.histogram))
    path = tmp_path_factory.mktemp("trend") / "trend.html"
    path.write_text(html.render_trend(trend.of(runs, [(HOSTILE[0], HOSTILE[1])])), "utf-8")
    return path


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(viewport={"width": 1360, "height": 860})
    yield found
    found.close()


def opened(context: BrowserContext, report: Path) -> tuple[Page, Heard]:
    page, heard = context.new_page(), Heard()
    page.on("console", lambda message: heard.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: heard.messages.append(str(error)))
    page.on("request", lambda request: heard.requests.append(request.url))
    page.goto(report.as_uri())
    return page, heard


def test_it_is_silent_and_asks_for_nothing_but_itself(context: BrowserContext, report: Path) -> None:
    page, heard = opened(context, report)
    for summary in page.locator("summary").all():
        summary.click()
    page.locator("#filter-search").fill("finding")
    assert heard.messages == []
    assert heard.requests == [report.as_uri()]


def test_hostile_strings_stay_text(context: BrowserContext, report: Path) -> None:
    page, heard = opened(context, report)
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.images.length") == 0
    assert heard.requests == [report.as_uri()]
    assert HOSTILE[0] in page.locator("#finding-table").inner_text()
    for part in ("capacity", "attacks", "seccomp", "neighbours", "costs", "duels", "tunings", "soaks", "questions"):
        text = page.locator(f"#{part}").inner_text()
        assert any(one in text for one in HOSTILE[:4]), part


def test_a_script_that_slipped_in_would_not_run(context: BrowserContext, report: Path, tmp_path: Path) -> None:
    slipped = tmp_path / "slipped.html"
    slipped.write_text(report.read_text("utf-8").replace("<main", "<script>window.hacked = 1</script><main"), "utf-8")
    page, heard = opened(context, slipped)
    assert page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in one for one in heard.messages)


def test_findings_are_filtered_searched_and_sorted(context: BrowserContext, report: Path) -> None:
    page, _ = opened(context, report)
    rows = page.locator("#finding-table tbody tr:visible")
    everything = rows.count()
    assert page.locator("#finding-count").inner_text() == f"{everything} of {everything} rows"

    page.locator("#filter-severity").select_option("HIGH")
    assert [row.get_attribute("data-severity") for row in rows.all()] == ["HIGH", "HIGH"]
    page.locator("#filter-severity").select_option("")
    page.locator("#filter-variant").select_option("slim-gunicorn")
    assert rows.count() == 1
    page.locator("#filter-variant").select_option("")
    page.locator("#filter-search").fill("=hyperlink")
    assert rows.count() == 1
    page.locator("#filter-search").fill("there is no such thing")
    assert rows.count() == 0
    page.locator("#filter-search").fill("")

    severity = page.get_by_role("button", name="Severity")
    ranks = [int(row.get_attribute("data-rank") or "-1") for row in rows.all()]
    assert ranks == sorted(ranks, reverse=True)
    severity.click()
    severity.click()
    ranks = [int(row.get_attribute("data-rank") or "-1") for row in rows.all()]
    assert ranks == sorted(ranks)
    assert page.locator("#finding-table th").first.get_attribute("aria-sort") == "ascending"


def test_a_long_table_shows_its_first_rows_and_all_on_request_or_on_paper(
    context: BrowserContext, tmp_path: Path
) -> None:
    made = make(findings=100)
    path = tmp_path / "long.html"
    html.write(made.results, path, histogram=made.histogram)
    page, _ = opened(context, path)
    rows = page.locator("#finding-table tbody tr:visible")
    assert rows.count() == 30
    page.locator("#filter-search").fill("One of many, 99")
    assert rows.count() == 1
    page.locator("#filter-search").fill("")
    page.emulate_media(media="print")
    assert rows.count() > 100
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Show all").click()
    assert rows.count() > 100
    assert not page.get_by_role("button", name="Show all").is_visible()


def test_without_scripts_every_finding_stands_there(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page, _ = opened(context, report)
    assert (
        page.locator("#finding-table tbody tr:visible").count() == page.locator("#finding-table tbody tr").count() > 9
    )
    assert not page.locator("#filters").is_visible()
    context.close()


@pytest.mark.parametrize("width", [1360, 820, 390], ids=["desk", "tablet", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_at_every_width(browser: Browser, report: Path, theme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page, _ = opened(context, report)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width, "the page scrolls sideways"
    seen, poor = page.evaluate(CONTRAST)
    assert seen > 300
    assert poor == [], "text below the contrast of 4.5 that WCAG AA asks for"
    context.close()


@pytest.mark.parametrize("width", [1360, 390], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_trend_is_silent_and_legible(browser: Browser, trend_page: Path, theme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)  # type: ignore[arg-type]
    page, heard = opened(context, trend_page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width, "the page scrolls sideways"
    seen, poor = page.evaluate(CONTRAST)
    assert seen > 60
    assert poor == []
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate("window.hacked") is None
    assert heard.messages == []
    assert heard.requests == [trend_page.as_uri()]
    context.close()


def test_no_figure_runs_into_the_next_column(context: BrowserContext, report: Path) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(report.as_uri())
    wide = page.evaluate(
        """() => [...document.querySelectorAll("table.variants td")].filter((cell) => {
          const edge = cell.getBoundingClientRect().right + 1;
          return [...cell.querySelectorAll(".fig, .fig *, .spread")]
            .some((part) => part.getBoundingClientRect().right > edge);
        }).map((cell) => cell.innerText)"""
    )
    assert wide == []


def test_the_first_screen_answers_the_question(context: BrowserContext, report: Path) -> None:
    page, _ = opened(context, report)
    assert page.locator("h1").inner_text() == "Ship distroless-gunicorn."
    pick = page.locator("tr.pick").bounding_box()
    assert pick is not None
    assert pick["y"] + pick["height"] < 860


def test_it_can_be_read_by_keyboard_and_screen_reader(context: BrowserContext, report: Path) -> None:
    page, _ = opened(context, report)
    assert page.evaluate(UNNAMED) == []
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")
    page.get_by_role("button", name="Id").focus()
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort]").inner_text().startswith("Id")
    levels = page.eval_on_selector_all("h1, h2, h3", "(all) => all.map((one) => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert all(later - sooner <= 1 for sooner, later in pairwise(levels))


def test_a_charts_data_can_be_taken_away(context: BrowserContext, report: Path, tmp_path: Path) -> None:
    page, _ = opened(context, report)
    with page.expect_download() as download:
        page.locator("#throughput a.download").first.click()
    download.value.save_as(tmp_path / "data.csv")
    lines = (tmp_path / "data.csv").read_text("utf-8").splitlines()
    assert lines[0] == "variant,throughput_rps,low,high,n,trials or reason"
    assert len(lines) == 8


def test_on_paper_it_is_light_and_has_no_controls(context: BrowserContext, report: Path) -> None:
    page, _ = opened(context, report)
    page.emulate_media(media="print")
    assert not page.locator("#filters").is_visible()
    assert not page.locator("a.download").first.is_visible()
    assert page.locator(".variants").is_visible()
