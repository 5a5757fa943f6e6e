"""Makes the README's pictures of a run's report: `python -m tests.pictures RUN`, light and dark, into docs/."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from harness.model import Results
from harness.paths import ROOT
from harness.results import open_existing
from harness.results_reading import read_part
from report import html
from tests.browser import FLAGS, installed

WIDTH, HEIGHT = 1280, 900
PICTURES = {"light": "report.png", "dark": "report-dark.png"}


def take(page: Path, folder: Path) -> None:
    """Take the first screen of a report in both themes."""
    chromium = installed()
    if chromium is None:
        raise SystemExit("There is no Chromium here.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
        for theme, name in PICTURES.items():
            context = browser.new_context(
                viewport={"width": WIDTH, "height": HEIGHT},
                color_scheme=theme,  # type: ignore[arg-type]  # a key of PICTURES
            )
            shown = context.new_page()
            shown.goto(page.as_uri())
            shown.screenshot(path=folder / name)
            context.close()
        browser.close()


def main(run: Path) -> None:
    """Write a run's report anew and take its pictures."""
    folder = open_existing(run)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "report.html"
        html.write(read_part(folder.path / "results.json", Results), page, histogram=folder.histogram)
        take(page, ROOT / "docs")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
