"""A run's folder on disk, written: parts as they are made, and results.json, which is assembled from them.

A part is written whole to a temporary name and then renamed, so a run that is killed leaves no half part.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from harness.asked import answered
from harness.errors import UnreadableOutput, UsageError
from harness.model import (
    Answer,
    Calibration,
    DecisionReview,
    Hardening,
    Image,
    LoadTrial,
    Model,
    Results,
    RunInfo,
    Scan,
    SeccompProfile,
    SlicedComparison,
    Trial,
    Variant,
    Verdict,
)
from harness.results_reading import ANSWERS, ReadFolder, read_part

LATEST = "latest"


class RunFolder(ReadFolder):
    """One run's results on disk, written as they are made and read back.

    Args:
        path: the folder; made when the first part is written.

    """

    def folder(self, name: str) -> Path:
        """Return a subfolder (`logs`, `sbom`, `histograms`), made where it is missing."""
        found = self.path / name
        _make(found)
        return found

    def write_run(self, info: RunInfo) -> None:
        """Write what the run is."""
        _write(self.path / "run.json", _json(info))

    def write_variants(self, variants: Iterable[Variant]) -> None:
        """Write the variants that the run is about; others that are there already stay."""
        for variant in variants:
            _write(self.folder("variants") / f"{variant.name}.json", _json(variant))

    def measured_another(self, image: Image) -> bool:
        """Say whether this run has measured or scanned another image of the same variant."""
        parts = (
            *self.trials(),
            *self.scans(),
            *self.hardenings(),
            *self.seccomps(),
            *(a for kind in ANSWERS for a in self.answers(kind)),
        )
        sides = (side for sliced in self.sliced() for side in sliced.sides)
        return any(one.variant == image.variant and one.image_digest != image.digest for one in (*parts, *sides))

    def write_image(self, image: Image) -> None:
        """Write one variant's image; parts of another image of that variant are dropped, since they no longer hold."""
        for trial in self.trials():
            if trial.variant == image.variant and trial.image_digest != image.digest:
                self.drop_trial(trial)
        scan = self.path / "scans" / f"{image.variant}.json"
        if scan.exists() and read_part(scan, Scan).image_digest != image.digest:
            scan.unlink()
        for answer in (one for kind in ANSWERS for one in self.answers(kind)):
            if answer.variant == image.variant and answer.image_digest != image.digest:
                self.drop_answer(answer)
        for known in self.hardenings():
            if known.variant == image.variant and known.image_digest != image.digest:
                (self.path / "hardening" / f"{known.variant}-{known.run_profile}.json").unlink()
        for tight in self.seccomps():
            if tight.variant == image.variant and tight.image_digest != image.digest:
                self.drop_seccomp(tight)
        for sliced in self.sliced():
            if any(one.variant == image.variant and one.image_digest != image.digest for one in sliced.sides):
                self.drop_sliced(sliced)
        _write(self.folder("images") / f"{image.variant}.json", _json(image))

    def write_scan(self, scan: Scan) -> None:
        """Write one variant's scan.

        Raises:
            UsageError: this run measured another image of that variant.

        """
        self._refuse_other_image(scan.variant, scan.image_digest)
        _write(self.folder("scans") / f"{scan.variant}.json", _json(scan))

    def write_decisions(self, review: DecisionReview) -> None:
        """Write what became of the ignore file's entries."""
        _write(self.path / "decisions.json", _json(review))

    def write_hardening(self, hardening: Hardening) -> None:
        """Write what checks and probes found of one variant under one run profile.

        Raises:
            UsageError: this run measured another image of that variant.

        """
        self._refuse_other_image(hardening.variant, hardening.image_digest)
        name = f"{hardening.variant}-{hardening.run_profile}.json"
        _write(self.folder("hardening") / name, _json(hardening))

    def write_seccomp(self, tight: SeccompProfile) -> None:
        """Write what is known of one image's own seccomp profile.

        Raises:
            UsageError: this run measured another image of that variant.

        """
        self._refuse_other_image(tight.variant, tight.image_digest)
        _write(self.folder("seccomp") / f"{tight.variant}.json", _json(tight))

    def write_trial(self, trial: Trial) -> None:
        """Write one trial, the moment it ends.

        Raises:
            UsageError: this run measured another image of that variant.

        """
        self._refuse_other_image(trial.variant, trial.image_digest)
        _write(self.folder("trials") / f"{trial.id}.json", _json(trial))

    def write_answer(self, answer: Answer) -> None:
        """Write what is known so far of one variant's capacity, or another answer.

        Raises:
            UsageError: this run measured another image of that variant.

        """
        self._refuse_other_image(answer.variant, answer.image_digest)
        _write(self.folder(ANSWERS[type(answer)]) / f"{answer.name}.json", _json(answer))

    def write_sliced(self, comparison: SlicedComparison) -> None:
        """Write one sliced comparison, whole or as far as it has come.

        Raises:
            UsageError: this run measured another image of one of the two.

        """
        for side in comparison.sides:
            self._refuse_other_image(side.variant, side.image_digest)
        _write(self.folder("slices") / f"{comparison.id}.json", _json(comparison))

    def write_calibration(self, calibration: Calibration) -> None:
        """Write one timing of the machine itself."""
        _write(self.folder("trials") / f"calibration-{calibration.round}.json", _json(calibration))

    def write_histogram(self, name: str, data: bytes) -> None:
        """Write one encoded latency histogram."""
        _write(self.folder("histograms") / name, data)

    def write_text(self, name: str, text: str, *, folder: str | None = None) -> None:
        """Write a text made from the results, as summary.md; into a subfolder where one is named."""
        _write((self.folder(folder) if folder else self.path) / Path(name).name, text.encode("utf-8", "replace"))

    def remove_texts(self, folder: str, ending: str, *, but: Iterable[str]) -> None:
        """Remove the texts of a subfolder that end so, but for the named ones: what they are about is gone."""
        kept = set(but)
        for path in (self.path / folder).glob(f"*{ending}"):
            if path.name not in kept:
                path.unlink()

    def write_log(self, name: str, text: str) -> None:
        """Write what a container printed."""
        _write(self.folder("logs") / Path(name).name, text.encode("utf-8", "replace"))

    def drop_answer(self, answer: Answer) -> None:
        """Remove an answer and its histograms."""
        (self.path / ANSWERS[type(answer)] / f"{answer.name}.json").unlink(missing_ok=True)
        for name in answer.histogram_files:
            (self.path / "histograms" / name).unlink(missing_ok=True)

    def drop_seccomp(self, tight: SeccompProfile) -> None:
        """Remove what is known of an image's own seccomp profile, and that profile's files."""
        for name in (f"seccomp/{tight.variant}.json", tight.profile_file, tight.run_profile_file):
            if name is not None:
                (self.path / name).unlink(missing_ok=True)

    def drop_sliced(self, comparison: SlicedComparison) -> None:
        """Remove a sliced comparison and its histograms."""
        (self.path / "slices" / f"{comparison.id}.json").unlink(missing_ok=True)
        for name in comparison.histogram_files:
            (self.path / "histograms" / name).unlink(missing_ok=True)

    def drop_trial(self, trial: Trial) -> None:
        """Remove a trial and its histograms."""
        (self.path / "trials" / f"{trial.id}.json").unlink(missing_ok=True)
        if isinstance(trial, LoadTrial):
            for name in trial.histograms.values():
                (self.path / "histograms" / name).unlink(missing_ok=True)

    def assemble(self, verdicts: Iterable[Verdict] = (), *, whole: Results | None = None) -> Results:
        """Put the parts together, write results.json and its schema, and return the whole.

        Args:
            verdicts: what became of the budgets.
            whole: the parts, where the caller has them together already.

        Raises:
            UnreadableOutput: a part cannot be read, or a histogram of one is not there.

        """
        results = (whole or self.load()).model_copy(update={"verdicts": tuple(verdicts)})
        results = results.model_copy(update={"asked": answered(results, self.histogram)})
        _write(self.path / "results.json", _json(results))
        schema = json.dumps(Results.model_json_schema(), indent=2) + "\n"
        _write(self.path / "results.schema.json", schema.encode())
        return results

    def point_latest(self) -> None:
        """Let `latest`, beside this folder, point to it."""
        link = self.path.parent / LATEST
        new = self.path.parent / f".{LATEST}-{os.getpid()}"
        new.unlink(missing_ok=True)
        try:
            new.symlink_to(self.path.name, target_is_directory=True)
            new.replace(link)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise UsageError(f"{link} cannot be set: {error.strerror}.", "Is something else in its place?") from error

    def _refuse_other_image(self, variant: str, digest: str) -> None:
        path = self.path / "images" / f"{variant}.json"
        if path.exists() and (known := read_part(path, Image).digest) != digest:
            raise UsageError(
                f"{self.path} is about the image {known[:19]} of {variant}, not {digest[:19]}.",
                "Name another folder with --results, or build into this one first.",
            )


def open_existing(path: Path) -> RunFolder:
    """Open a run's folder that must be there.

    Raises:
        UnreadableOutput: there is no such folder, or it holds no run.

    """
    if not (path / "run.json").exists() and not (path / "results.json").exists():
        raise UnreadableOutput(
            f"{path} holds no results.", "Run `seatrial run` first, or name a folder with --results."
        )
    return RunFolder(path.resolve())


def now() -> datetime:
    """Return the time, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The results folder {folder} cannot be made: {error.strerror}.") from error


def _json(part: Model) -> bytes:
    return (part.model_dump_json(indent=2) + "\n").encode()


def _write(path: Path, data: bytes) -> None:
    _make(path.parent)
    new = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        new.write_bytes(data)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
