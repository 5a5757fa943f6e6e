"""A run's folder on disk, read: its parts, their histograms, and the whole of them.

The parts are the truth: `run.json`, `variants/`, `images/`, `scans/`, `decisions.json`, `hardening/`, `seccomp/`,
`trials/`, `capacity/`, `soaks/`, `experiments/`, `tunings/`, `neighbours/`, `slices/`, `histograms/`, `sbom/`,
`files/`, `logs/`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from harness.errors import UnreadableOutput
from harness.model import (
    SCHEMA_VERSION,
    Answer,
    Calibration,
    CapacityResult,
    DecisionReview,
    Experiment,
    Hardening,
    Image,
    Interference,
    LoadTrial,
    Model,
    Results,
    RunInfo,
    Scan,
    SeccompProfile,
    SlicedComparison,
    Soak,
    StartSplit,
    StartTrial,
    StopTrial,
    Trial,
    Tuning,
    Variant,
)

M = TypeVar("M", bound=Model)
A = TypeVar("A", bound=Answer)
_TRIALS: dict[str, type[Trial]] = {
    "start": StartTrial,
    "split": StartSplit,
    "stop": StopTrial,
    "load": LoadTrial,
}
ANSWERS: dict[type[Answer], str] = {
    CapacityResult: "capacity",
    Soak: "soaks",
    Experiment: "experiments",
    Tuning: "tunings",
    Interference: "neighbours",
}


class ReadFolder:
    """One run's results on disk, to be read.

    Args:
        path: the folder.

    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def run_info(self) -> RunInfo:
        """Return what the run is."""
        return read_part(self.path / "run.json", RunInfo)

    def variants(self) -> tuple[Variant, ...]:
        """Return the variants that the run is about, by name."""
        return tuple(read_part(path, Variant) for path in self._parts("variants"))

    def images(self) -> tuple[Image, ...]:
        """Return the images that were built, by variant."""
        return tuple(read_part(path, Image) for path in self._parts("images"))

    def trials(self) -> tuple[Trial, ...]:
        """Return every trial so far, calibrations apart."""
        found: list[Trial] = []
        for path in self._parts("trials"):
            kind = _TRIALS.get(path.name.partition("-")[0])
            if kind is not None:
                found.append(read_part(path, kind))
        return tuple(found)

    def calibrations(self) -> tuple[Calibration, ...]:
        """Return the timings of the machine itself, by round."""
        paths = (path for path in self._parts("trials") if path.name.startswith("calibration-"))
        return tuple(sorted((read_part(path, Calibration) for path in paths), key=lambda one: one.round))

    def answers(self, kind: type[A]) -> tuple[A, ...]:
        """Return all answers of one kind, whole or begun, by their names."""
        return tuple(read_part(path, kind) for path in self._parts(ANSWERS[kind]))

    def scans(self) -> tuple[Scan, ...]:
        """Return the scans, by variant."""
        return tuple(read_part(path, Scan) for path in self._parts("scans"))

    def decisions(self) -> DecisionReview | None:
        """Return what became of the ignore file's entries; None where no decision was applied yet."""
        path = self.path / "decisions.json"
        return read_part(path, DecisionReview) if path.exists() else None

    def hardenings(self) -> tuple[Hardening, ...]:
        """Return what checks and probes found, by variant and run profile."""
        return tuple(read_part(path, Hardening) for path in self._parts("hardening"))

    def seccomps(self) -> tuple[SeccompProfile, ...]:
        """Return what is known of the images' own seccomp profiles, by variant; those themselves are in a subfolder."""
        return tuple(read_part(path, SeccompProfile) for path in self._parts("seccomp"))

    def sliced(self) -> tuple[SlicedComparison, ...]:
        """Return the sliced comparisons, whole or begun, by their names."""
        return tuple(read_part(path, SlicedComparison) for path in self._parts("slices"))

    def histogram(self, name: str) -> bytes:
        """Return one encoded latency histogram.

        Raises:
            UnreadableOutput: it is not there.

        """
        try:
            return (self.path / "histograms" / Path(name).name).read_bytes()
        except OSError as error:
            raise UnreadableOutput(f"{self.path} lacks the histogram {name}: {error.strerror}.") from error

    def listing(self, name: str) -> bytes | None:
        """Return the listing of one image's files, by the scan's name for it; None where it is not there.

        Raises:
            UnreadableOutput: it cannot be read.

        """
        path = self.path / "files" / Path(name).name
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnreadableOutput(f"{path} cannot be read: {error.strerror}.") from error

    def load(self) -> Results:
        """Read all parts; without parts but with a results.json, that.

        Raises:
            UnreadableOutput: a part is missing, is not JSON, or is not what it should be.

        """
        if not (self.path / "run.json").exists():
            return read_part(self.path / "results.json", Results)
        trials = self.trials()
        return Results(
            **self.run_info().model_dump(),
            variants=self.variants(),
            images=self.images(),
            start_trials=tuple(t for t in trials if isinstance(t, StartTrial)),
            start_splits=tuple(t for t in trials if isinstance(t, StartSplit)),
            stop_trials=tuple(t for t in trials if isinstance(t, StopTrial)),
            load_trials=tuple(t for t in trials if isinstance(t, LoadTrial)),
            calibrations=self.calibrations(),
            capacities=self.answers(CapacityResult),
            soaks=self.answers(Soak),
            experiments=self.answers(Experiment),
            tunings=self.answers(Tuning),
            neighbours=self.answers(Interference),
            scans=self.scans(),
            hardenings=self.hardenings(),
            seccomps=self.seccomps(),
            sliced=self.sliced(),
            decisions=self.decisions(),
            verdicts=(),
        )

    def _parts(self, kind: str) -> list[Path]:
        return sorted((self.path / kind).glob("*.json"))


def read_part(path: Path, kind: type[M]) -> M:
    """Return one part of a run.

    Raises:
        UnreadableOutput: it is missing, is not JSON, has another schema's version, or is not what it should be.

    """
    try:
        raw = path.read_bytes()
        version = json.loads(raw).get("schema_version", SCHEMA_VERSION)
        if version != SCHEMA_VERSION:
            raise UnreadableOutput(f"{path} has schema version {version}; this Seatrial reads {SCHEMA_VERSION}.")
        return kind.model_validate_json(raw)
    except OSError as error:
        raise UnreadableOutput(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        reason = f"{where}: {first['msg']}"
        raise UnreadableOutput(f"{path} is not a {kind.__name__}: {reason}", "Remove it, and run again.") from error
    except (ValueError, AttributeError) as error:
        raise UnreadableOutput(f"{path} is not a JSON object.", "Remove it, and run again.") from error
