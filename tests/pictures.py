"""Makes the README's pictures of a run: `python -m tests.pictures RUN`; light, dark and on a phone, into docs/."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from harness.model import Results
from harness.paths import ROOT
from harness.results import open_existing
from harness.results_reading import read_part
from report import html
from tests.browser import FLAGS, installed


@dataclass(frozen=True)
class Picture:
    """One picture: its file, its theme, and the window's width and height."""

    name: str
    theme: Literal["light", "dark"]
    width: int = 1280
    height: int = 900


PICTURES = (
    Picture("report.png", "light"),
    Picture("report-dark.png", "dark"),
    Picture("report-phone.png", "light", 390, 844),
)


def take(page: Path, folder: Path) -> None:
    """Take the first screen of a report in both themes, and at a phone's width."""
    chromium = installed()
    if chromium is None:
        raise SystemExit("There is no Chromium here.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=list(FLAGS))
        for one in PICTURES:
            context = browser.new_context(viewport={"width": one.width, "height": one.height}, color_scheme=one.theme)
            shown = context.new_page()
            shown.goto(page.as_uri())
            shown.screenshot(path=folder / one.name)
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
