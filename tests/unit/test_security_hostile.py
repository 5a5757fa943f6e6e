"""An image that is refused costs no more than its refusal: syft, which has no bounds of its own, is held to those."""

from __future__ import annotations

import gzip
import threading
from pathlib import Path
from typing import Any

import pytest

from harness import tools
from harness.errors import Interrupted, UnreadableOutput
from security.scanners import syft
from tests.image_archives import file, layer, save
from tests.unit.test_security_scan import GOOD_DOCKERFILE, GOOD_LAYERS, SBOM, Shelf, scan_on


@pytest.fixture(autouse=True)
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "find", lambda name: None)


def test_syft_is_stopped_where_the_image_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[bool] = []

    def run(archive: Path, *, name: str, cancel: threading.Event) -> str:
        del archive, name
        stopped.append(cancel.wait(30))
        raise Interrupted("stopped")

    monkeypatch.setattr(syft, "run", run)
    shelf = Shelf(save(tmp_path / "image.tar", GOOD_LAYERS, stored=[layer(file("other"))]))
    with pytest.raises(UnreadableOutput, match="digest promises"):
        scan_on(shelf, tmp_path, GOOD_DOCKERFILE)
    assert stopped == [True]


@pytest.mark.parametrize("bomb", [True, False])
def test_syft_sees_a_compressed_layer_only_once_it_is_known_to_be_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bomb: bool
) -> None:
    monkeypatch.setattr("security.layer_stream.FREE_EXPANSION_BYTES", 1 << 20)
    asked: list[Path] = []

    def run(archive: Path, **words: Any) -> str:
        del words
        asked.append(archive)
        return SBOM

    monkeypatch.setattr(syft, "run", run)
    layers = (layer(file("zeros", b"\0" * (64 << 20))),) if bomb else GOOD_LAYERS
    shelf = Shelf(save(tmp_path / "image.tar", layers, stored=[gzip.compress(one) for one in layers]))
    if bomb:
        with pytest.raises(UnreadableOutput, match="bomb"):
            scan_on(shelf, tmp_path, GOOD_DOCKERFILE)
    else:
        scan_on(shelf, tmp_path, GOOD_DOCKERFILE)
    assert len(asked) == (0 if bomb else 1)
