"""From a recorded bill of materials to components, their layers, and what nobody has assessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.errors import UnreadableOutput
from harness.model import Component, Interpreter
from security import inventory
from security.scanners import syft
from security.subjects import FileSystem
from tests.made_records import image

DOCUMENT = syft.parse(
    (Path(__file__).resolve().parent.parent / "assets/scanners/syft-1.18.1-alpine.cdx.json").read_text()
)


def _layer_of(name: str) -> str:
    entry = next(one for one in DOCUMENT["components"] if one["name"] == name)
    return next(str(p["value"]) for p in entry["properties"] if p["name"] == "syft:location:0:layerID")


def _document(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"components": list(entries)}


def test_packages_of_every_kind_are_components() -> None:
    found = {one.name: one for one in inventory.components(DOCUMENT, image())}
    assert {"musl", "busybox", "flask", "python"} <= set(found)
    assert found["musl"].purl.startswith("pkg:apk/alpine/musl@")
    assert found["musl"].licences == ("MIT",)
    assert "alpine" not in found, "the operating system is no package"
    assert "Simple Launcher" not in found, "what pip carries for Windows is no package"


def test_a_component_is_traced_to_the_lowest_layer_that_holds_it() -> None:
    base, app = _layer_of("musl"), _layer_of("flask")
    found = {one.name: one for one in inventory.components(DOCUMENT, image(layers=(base, app)))}
    assert found["musl"].layer_diff_id == base
    assert found["flask"].layer_diff_id == app


def test_a_layer_that_the_image_does_not_have_is_not_named() -> None:
    assert {one.layer_diff_id for one in inventory.components(DOCUMENT, image(layers=("sha256:other",)))} == {None}


def test_the_order_is_the_same_whatever_the_order_of_the_document() -> None:
    turned = {**DOCUMENT, "components": DOCUMENT["components"][::-1]}
    assert inventory.components(turned, image()) == inventory.components(DOCUMENT, image())


@pytest.mark.parametrize("turn", [1, -1])
def test_a_package_that_is_there_twice_came_with_the_lower_layer(turn: int) -> None:
    def entry(layer: str) -> dict[str, Any]:
        properties = [{"name": "syft:location:0:layerID", "value": layer}]
        return {"type": "library", "name": "pip", "version": "1", "purl": "pkg:pypi/pip@1", "properties": properties}

    twice = [entry("sha256:low"), entry("sha256:high")][::turn]
    (found,) = inventory.components(_document(*twice), image(layers=("sha256:low", "sha256:high")))
    assert found.layer_diff_id == "sha256:low"


def test_licences_that_syft_leaves_out_come_from_the_package_itself() -> None:
    metadata = "Name: Jinja2\nVersion: 3\nClassifier: License :: OSI Approved :: MIT License\n"
    files = FileSystem.of(
        contents={
            "x/Jinja2-3.dist-info/METADATA": metadata,
            "lib/apk/db/installed": "P:xz\nV:1\nL:0BSD AND GPL-2.0-only\n\n",
        }
    )
    entries = (
        {"type": "library", "name": "jinja2", "version": "3", "purl": "pkg:pypi/jinja2@3"},
        {
            "type": "library",
            "name": "xz",
            "version": "1",
            "purl": "pkg:apk/alpine/xz@1",
            "licenses": [{"license": {"name": word}} for word in ("0BSD", "AND", "GPL-2.0-only")],
        },
        {
            "type": "library",
            "name": "python3.13",
            "version": "3",
            "purl": "pkg:deb/debian/python3.13@3",
            "licenses": [{"license": {"name": word}} for word in ("This", "By", "GPL-2.0-only")],
        },
    )
    found = {one.name: one.licences for one in inventory.components(_document(*entries), image(), files)}
    assert found == {"jinja2": ("MIT",), "xz": ("0BSD AND GPL-2.0-only",), "python3.13": ("GPL-2.0-only",)}


def test_an_interpreter_that_no_database_names_is_a_component() -> None:
    python = Interpreter(
        implementation="CPython", version="3.13.2", compiler="", libc="musl", config_args="", pgo=False, lto=True
    )
    (found,) = inventory.components(_document(), image(interpreter=python))
    assert (found.name, found.version, found.purl) == ("CPython", "3.13.2", "pkg:generic/cpython@3.13.2")


def test_an_interpreter_is_not_listed_twice() -> None:
    python = Interpreter(
        implementation="CPython", version="3.13.5", compiler="", libc="", config_args="", pgo=True, lto=True
    )
    debian = {
        "name": "python3.13-minimal",
        "version": "3.13.5-2",
        "purl": "pkg:deb/debian/python3.13-minimal@3.13.5-2",
        "type": "library",
    }
    assert len(inventory.components(_document(debian), image(interpreter=python))) == 1


def test_the_windows_launchers_that_pip_carries_are_no_components() -> None:
    launcher = {
        "type": "library",
        "name": "Simple Launcher",
        "version": "1.1.0.14",
        "purl": "pkg:nuget/Simple%20Launcher@1.1.0.14",
        "properties": [
            {
                "name": "syft:location:0:path",
                "value": "/usr/local/lib/python3.13/dist-packages/pip/_vendor/distlib/t32.exe",
            }
        ],
    }
    assert inventory.components(_document(launcher), image()) == ()
    elsewhere = {**launcher, "properties": [{"name": "syft:location:0:path", "value": "/app/tool.exe"}]}
    assert len(inventory.components(_document(elsewhere), image())) == 1


@pytest.mark.parametrize(
    ("purl", "name"),
    [
        ("pkg:deb/debian/libc6@2.41?arch=amd64&distro=debian-13", "Debian:13"),
        ("pkg:apk/alpine/musl@1.2.5-r23?distro=alpine-3.23.6", "Alpine:v3.23"),
        ("pkg:deb/ubuntu/libc6@2.41?distro=ubuntu-24.04", "Ubuntu:24.04"),
        ("pkg:pypi/flask@3.1.3", "PyPI"),
        ("pkg:generic/python@3.13.2", "generic"),
        ("pkg:apk/wolfi/musl@1?distro=wolfi-20230201", "wolfi:20230201"),
        ("", "unknown"),
    ],
)
def test_ecosystems_have_the_names_of_osv(purl: str, name: str) -> None:
    assert inventory.ecosystem(Component(variant="a", name="x", version="1", purl=purl, type="library")) == name


def test_every_ecosystem_of_an_image_is_said_not_to_be_assessed() -> None:
    rows = inventory.unassessed(inventory.components(DOCUMENT, image()))
    assert [row.ecosystem for row in rows] == ["Alpine:v3.23", "PyPI", "generic"]
    assert all(row.assessed_by is None and "no source of advisories" in row.reason for row in rows)


@pytest.mark.parametrize(
    "entry", [{"type": "library"}, {"type": "library", "name": "x", "purl": "nonsense"}, {"name": 3}]
)
def test_components_that_are_none_are_an_error(entry: dict[str, Any]) -> None:
    with pytest.raises(UnreadableOutput):
        inventory.components(_document(entry), image())
