"""One file a row of CIS Docker Benchmark section 5, and one for the log; a new file is all that a new check takes."""

from __future__ import annotations

from security.container_scan import run_all

__all__ = ["run_all"]
