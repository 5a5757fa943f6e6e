"""Page, summary and terminal table: one view, complete, small, honest about what is missing."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from harness import budgets, verdicts
from harness.errors import UsageError
from harness.model import Budget, Hardening, ProbeResult, Results
from harness.paths import ROOT
from report import html as page
from report import summary, table, view
from tests.hostile_models import hostile_parts
from tests.results_factory import SHAPES, Made, make, without

LIMITS = ROOT / "tests" / "comparison" / "budgets.toml"


def judged(made: Made) -> Results:
    found = verdicts.judge(made.results, budgets.load(LIMITS).budgets, made.histogram)
    return made.results.model_copy(update={"verdicts": found})


@pytest.fixture(scope="module")
def shown() -> view.View:
    made, earlier = make(hostile=True), make(seed=2, machine=1.4)
    return view.of(judged(made), made.histogram, previous=earlier.results, previous_histogram=earlier.histogram)


@pytest.fixture(scope="module")
def written(shown: view.View) -> str:
    return page.render(shown)


def terminal(shown: view.View, width: int = 100) -> str:
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        console.print(table.of_view(shown))
    return captured.get()


def _probes(one: Hardening, count: int) -> tuple[ProbeResult, ...]:
    return tuple(one.probes[0].model_copy(update={"id": f"attack-{n}"}) for n in range(count))


class Links(HTMLParser):
    """Collects every address, id and element of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.elements: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "srcset", "action", "data", "poster", "xlink:href"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            assert not name.startswith("on"), f"<{tag} {name}> runs a script"


def parsed(written: str) -> Links:
    links = Links()
    links.feed(written)
    return links


def test_the_page_asks_nothing_of_the_network(written: str) -> None:
    outside = [one for one in parsed(written).addresses if not one.startswith(("#", "data:"))]
    assert outside == []
    assert "url(" not in written.replace("&#", "")
    assert "@import" not in written


def test_hostile_strings_make_no_element(written: str) -> None:
    assert parsed(written).elements.count("script") == 1
    assert "<img" not in written
    assert html.escape("<script>window.hacked = 1</script>") in written
    assert "{{ 7 * 7 }}" in written
    assert "\u202e" not in written
    assert "\x1b" not in written


def test_every_link_inside_the_page_arrives_and_no_id_is_double(written: str) -> None:
    links = parsed(written)
    assert len(links.ids) == len(set(links.ids))
    assert {one[1:] for one in links.addresses if one.startswith("#")} <= set(links.ids)


def test_the_page_stays_below_a_megabyte_however_much_was_found() -> None:
    made = make(findings=3000)
    many = hostile_parts(made.results)
    attacked = tuple(
        one.model_copy(update={"variant": name, "run_profile": how, "probes": one.probes + _probes(one, 48)})
        for one in many.hardenings[:1]
        for how in ("hardened", "article")
        for name in SHAPES
    )
    earlier = make(seed=2)
    written = page.render(
        view.of(
            many.model_copy(update={"hardenings": attacked}),
            made.histogram,
            previous=earlier.results,
            previous_histogram=earlier.histogram,
        )
    )
    assert len(written.encode()) < 1_000_000
    assert "least grave rows are left out here; they are in results.json" in written


def test_page_summary_and_table_show_the_same_figures(shown: view.View, written: str) -> None:
    texts = [html.unescape(written), summary.of_view(shown), terminal(shown).replace("\N{NO-BREAK SPACE}", " ")]
    for row in shown.rows:
        for cell in row.cells:
            for one in texts:
                assert cell.text in one
                assert cell.ratio in one
                assert cell.spread in one
        assert all(cell.spread.startswith("±") for cell in row.cells if cell.text and cell.metric != "compressed_bytes")
    assert all(shown.conclusion.headline.split()[1].rstrip(".") in one for one in texts)


def test_every_variant_has_a_row_and_the_baseline_stands_first(shown: view.View) -> None:
    assert {row.variant for row in shown.rows} == set(SHAPES)
    assert shown.rows[0].role == "baseline"
    assert shown.rows[1].role == "pick"


def test_what_is_missing_stands_in_plain_sight(shown: view.View, written: str) -> None:
    text = html.unescape(written)
    for said in (
        "no valid trial of 4: failures over the limit (4 of 4)",
        "Little's law violated",
        "4.5 users where there were 8",
        "trivy is not installed",
        "no advisories were at hand",
        "this engine's API gives no peak on cgroup v2",
    ):
        assert said in text
        assert said in summary.of_view(shown) or "law" in said or "users" in said
    assert "23 of 28" in text


def test_a_comparison_of_stand_ins_says_so(shown: view.View, written: str) -> None:
    sentence = (
        "article, alpine-dev and alpine-gunicorn were measured on a stand-in for "
        "python:3.13-alpine3.23 and python:3.7-slim: what is said here about bases holds for the stand-ins only."
    )
    assert sentence in written
    assert sentence in summary.of_view(shown)
    assert sentence in " ".join(terminal(shown).split())


def test_charts_say_n_interval_and_unit(written: str) -> None:
    captions = re.findall(r'<figcaption class="caption">(.*?)</figcaption>', written, re.DOTALL)
    assert len(captions) == 9 + 1 + len(SHAPES), "the charts, and the tables of two runs"
    assert all('download="' in one for one in captions)
    assert all("n = " in one or re.search(r"\bn (and interval )?stands? with each", one) for one in captions)
    assert "trials a variant, merged" in captions[0]


def test_the_earlier_run_stands_beside_with_reasons(written: str) -> None:
    assert "do not agree" in written
    assert "were not compared, since a run has a single trial of them" in written
    assert "the machine itself was" in written


@pytest.mark.parametrize("width", [100, 80])
def test_the_terminal_table_fits(shown: view.View, width: int) -> None:
    lines = terminal(shown, width).splitlines()
    assert max(map(len, lines)) <= width
    if width == 100:
        assert "…" not in "".join(lines[:16])


def test_the_summary_is_short_and_its_table_whole(shown: view.View) -> None:
    text = summary.of_view(shown)
    assert len(text.splitlines()) < 60
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    assert len(rows) == 2 + len(SHAPES)


def test_exceeded_budgets_are_in_all_three() -> None:
    made = make()
    limits = (Budget(metric="p99_ms", variants="slim-gunicorn", max=1.0, reason="so it was promised"),)
    results = made.results.model_copy(update={"verdicts": verdicts.judge(made.results, limits, made.histogram)})
    shown = view.of(results, made.histogram)
    for one in (html.unescape(page.render(shown)), summary.of_view(shown), " ".join(terminal(shown).split())):
        assert "slim-gunicorn: p99 latency at most 1 ms" in one
        assert "so it was promised" in one


def _nothing(results: Results) -> Results:
    for variant in SHAPES:
        results = without(results, variant)
    return results.model_copy(update={"calibrations": (), "seed": None, "load_profile": None})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_nothing, id="nothing was measured"),
        pytest.param(lambda r: _nothing(r).model_copy(update={"variants": ()}), id="no variants"),
        pytest.param(lambda r: r.model_copy(update={"scans": ()}), id="not scanned"),
        pytest.param(lambda r: r.model_copy(update={"load_trials": ()}), id="not loaded"),
        pytest.param(lambda r: r.model_copy(update={"images": ()}), id="not built"),
        pytest.param(lambda r: r.model_copy(update={"baseline_variant": None}), id="no baseline"),
        pytest.param(lambda r: without(r, "article"), id="the baseline was not measured"),
        pytest.param(lambda r: r.model_copy(update={"variants": r.variants[2:3]}), id="one variant"),
        pytest.param(lambda r: r.model_copy(update={"finished_at": None}), id="stopped half way"),
    ],
)
def test_a_run_of_parts_is_shown_as_far_as_it_goes(change: Callable[[Results], Results]) -> None:
    made = make()
    shown = view.of(change(made.results), made.histogram)
    written, text = page.render(shown), summary.of_view(shown)
    assert "</html>" in written
    for one in (written, text, terminal(shown)):
        assert "None" not in re.sub(r"<(style|script)>.*?</\1>", "", one, flags=re.DOTALL).replace("None:", "").replace(
            '<p class="about">None.</p>', ""
        )
        assert "nan" not in one.replace("finan", "")


def test_without_histograms_latency_is_said_to_be_missing() -> None:
    made = make()
    shown = view.of(made.results, None)
    assert shown.conclusion.pick is None
    assert "the latency histograms are not at hand" in page.render(shown)


def test_where_it_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    made = make()
    with pytest.raises(UsageError, match="cannot be written"):
        page.write(made.results, tmp_path / "no" / "report.html", histogram=made.histogram)


@pytest.mark.parametrize(("share", "generator", "told"), [(0.17, "1", True), (0.07, "1", False), (0.9, "0", False)])
def test_a_machine_that_was_not_quiet_is_a_doubt(share: float, generator: str, told: bool) -> None:
    made = make()
    first, *others = made.results.load_trials
    changed = first.model_copy(update={"foreign_cpu_share": share, "target_cpus": "0", "generator_cpus": generator})
    others = [one.model_copy(update={"foreign_cpu_share": 0.02}) for one in others]
    assert first.valid
    results = made.results.model_copy(update={"load_trials": (changed, *others)})
    doubts = view.of(results, made.histogram).conclusion.doubts
    said = [one for one in doubts if "Other programs took up to" in one]
    assert bool(said) is told
    assert all("17% of the target's core, and over 10% in 1 of " in one for one in said)
