"""OpenVEX: which statements suppress what, which do not, and that a bad document is one line."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.model import Suppression
from security import vex
from tests.made_scans import DIGEST, scan, vulnerability

KNOWN = vulnerability(aliases=("GHSA-aaaa-bbbb-cccc",))


def document(*statements: dict[str, Any], **changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex/1",
        "author": "Example Security",
        "timestamp": "2026-11-01T00:00:00Z",
        "version": 1,
        "statements": list(statements),
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def statement(product: Any = "pkg:deb/debian/libssl3", **changes: Any) -> dict[str, Any]:
    whole = {
        "vulnerability": {"name": "CVE-2026-1000"},
        "products": [{"@id": product}] if isinstance(product, str) else product,
        "status": "not_affected",
        "justification": "vulnerable_code_not_present",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def judged(*statements: dict[str, Any]) -> Suppression | None:
    parsed = vex.parse(json.dumps(document(*statements)).encode(), "vex.json")
    return vex.judge(parsed, KNOWN, scan(KNOWN))


def test_not_affected_suppresses_with_its_justification_and_author() -> None:
    found = judged(statement(impact_statement="It is not built in."))
    assert found == Suppression(
        kind="not affected",
        source="https://example.org/vex/1 by Example Security",
        reason="It is not built in.",
        justification="vulnerable_code_not_present",
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"status": "fixed", "justification": None}, id="fixed"),
        pytest.param({"vulnerability": {"name": "GHSA-AAAA-BBBB-CCCC"}}, id="another name of it"),
        pytest.param({"vulnerability": {"name": "X-1", "aliases": ["CVE-2026-1000"]}}, id="an alias in the document"),
        pytest.param({"product": "pkg:deb/debian/libssl3@3.5.0-1"}, id="its version"),
        pytest.param({"product": "pkg:deb/debian/libssl3?distro=debian-13"}, id="its distribution"),
        pytest.param({"product": [{"identifiers": {"purl": "pkg:deb/debian/libssl3"}}]}, id="an identifier"),
        pytest.param({"product": f"pkg:oci/slim-dev@{DIGEST.replace(':', '%3A')}"}, id="the whole image"),
        pytest.param(
            {"product": [{"@id": "pkg:oci/slim-dev", "subcomponents": [{"@id": "pkg:deb/debian/libssl3"}]}]},
            id="the package in the image",
        ),
    ],
)
def test_it_is_suppressed_by(change: dict[str, Any]) -> None:
    assert judged(statement(**change)) is not None


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"status": "affected", "justification": None}, id="affected"),
        pytest.param({"status": "under_investigation", "justification": None}, id="under investigation"),
        pytest.param({"vulnerability": {"name": "CVE-2026-10001"}}, id="another vulnerability"),
        pytest.param({"product": "pkg:deb/debian/libssl"}, id="another package"),
        pytest.param({"product": "pkg:deb/ubuntu/libssl3"}, id="another distribution's package"),
        pytest.param({"product": "pkg:deb/debian/libssl3@3.4.0-1"}, id="another version"),
        pytest.param({"product": "pkg:deb/debian/libssl3?distro=debian-12"}, id="another release"),
        pytest.param({"product": "pkg:oci/slim-dev@sha256%3A2222"}, id="another digest of the image"),
        pytest.param({"product": "pkg:oci/alpine-dev"}, id="another image"),
        pytest.param({"product": "https://example.org/product"}, id="no package URL"),
        pytest.param({"product": "pkg:"}, id="half a package URL"),
        pytest.param({"product": []}, id="no product"),
        pytest.param(
            {"product": [{"@id": "pkg:oci/slim-dev", "subcomponents": [{"@id": "pkg:deb/debian/zlib1g"}]}]},
            id="another package in the image",
        ),
        pytest.param(
            {"product": [{"@id": "pkg:oci/slim-dev", "subcomponents": [{"@id": "https://example.org"}]}]},
            id="a part that has no package URL",
        ),
    ],
)
def test_it_counts_in_spite_of(change: dict[str, Any]) -> None:
    assert judged(statement(**change)) is None


def test_the_newest_statement_holds() -> None:
    old = statement(timestamp="2026-01-01T00:00:00Z")
    new = statement(status="affected", justification=None, timestamp="2026-06-01T00:00:00Z")
    assert judged(new, old) is None
    assert judged(old | {"timestamp": "2026-07-01T00:00:00Z"}, new) is not None


def test_of_two_of_the_same_time_the_one_holds_that_lets_it_count() -> None:
    counts = statement(status="affected", justification=None)
    assert judged(statement(), counts) is None
    assert judged(counts, statement()) is None


@pytest.mark.parametrize(
    ("whole", "said"),
    [
        pytest.param(document(statement(justification=None)), "needs a justification", id="no justification"),
        pytest.param(document(statement(justification="trust_me")), "none of OpenVEX's", id="a made-up one"),
        pytest.param(document(statement(status="fine")), "statements.0.status", id="unknown status"),
        pytest.param(document(statement(vulnerability=None)), "vulnerability", id="no vulnerability"),
        pytest.param(document(statement(vulnerability={"name": ""})), "vulnerability.name", id="an empty name"),
        pytest.param(document(), "statements", id="no statements"),
        pytest.param(document(statement(), author=None), "author", id="no author"),
        pytest.param(document(statement(), timestamp="yesterday"), "timestamp", id="no time"),
        pytest.param(document(statement(), **{"@context": "https://openvex.dev/ns"}), "0.2.0", id="an old version"),
        pytest.param([], "0.2.0", id="a list"),
        pytest.param({"bomFormat": "CycloneDX"}, "0.2.0", id="another format"),
    ],
)
def test_bad_documents_are_told_in_a_line(whole: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        vex.parse(json.dumps(whole).encode(), "vex.json")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"@context": NaN}'])
def test_what_is_no_document_is_told_in_a_line(data: bytes) -> None:
    with pytest.raises(UsageError):
        vex.parse(data, "vex.json")


@given(st.recursive(st.none() | st.booleans() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_statement_is_parsed_or_told(value: Any) -> None:
    with suppress(UsageError):
        vex.parse(json.dumps(document(value) | {"statements": [value, statement()]}).encode(), "vex.json")


def test_a_document_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        vex.read([tmp_path / "none.json"])
    (tmp_path / "some.json").write_text(json.dumps(document(statement())), "utf-8")
    assert len(vex.read([tmp_path / "some.json"])) == 1
