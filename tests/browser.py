"""The Chromium of this machine, and how it is started so that it asks for nothing by itself."""

from __future__ import annotations

from pathlib import Path

from harness import tools

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def installed() -> Path | None:
    """Return the browser, None where there is none."""
    return next((path for name in BROWSERS if (path := tools.find(name)) is not None), None)
