"""Writes what a run's scans come to, for programs and for people: SARIF, CycloneDX with vulnerabilities, Markdown."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UnreadableOutput
from harness.model import NotMeasured, Results, Scan
from harness.results import RunFolder
from report import cyclonedx, sarif, security_markdown
from seatrial import __version__


def write_security_files(folder: RunFolder, results: Results) -> None:
    """Write findings.sarif, and for each scan `security/<variant>.md` and `sbom/<variant>.vex.cdx.json`.

    A run without scans gets none of them: a file without findings would look like an all-clear.

    Raises:
        UsageError: a file cannot be written.
        UnreadableOutput: a bill of materials in the folder is not CycloneDX.

    """
    if results.scans:
        folder.write_text(sarif.FILE, sarif.render(results))
    else:
        (folder.path / sarif.FILE).unlink(missing_ok=True)
    reports, bills = [], []
    for scan in results.scans:
        reports.append(f"{scan.variant}.md")
        folder.write_text(reports[-1], security_markdown.render(results, scan), folder="security")
        bill = _bill(folder, scan)
        if bill is not None:
            bills.append(f"{scan.variant}.vex.cdx.json")
            folder.write_text(bills[-1], cyclonedx.render(bill, scan, version=__version__), folder="sbom")
    folder.remove_texts("security", ".md", but=reports)
    folder.remove_texts("sbom", ".vex.cdx.json", but=bills)


def _bill(folder: RunFolder, scan: Scan) -> str | None:
    """Return the variant's bill of materials; None where there is none, or where only the results are here."""
    if isinstance(scan.sbom, NotMeasured):
        return None
    path = folder.path / "sbom" / Path(scan.sbom).name
    if not path.exists():
        return None
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableOutput(f"{path} cannot be read.", "Run `seatrial scan` again.") from error
