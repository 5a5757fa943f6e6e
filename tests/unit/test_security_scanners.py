"""What hadolint and syft print, recorded from the versions in the files' names; and what they should never print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import UnreadableOutput
from security.scanners import hadolint, syft

ASSETS = Path(__file__).resolve().parent.parent / "assets" / "scanners"


def recorded(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")


def test_hadolint_remarks_are_read() -> None:
    remarks = hadolint.parse(recorded("hadolint-2.15.1-add-secret.json"))
    assert [(one.rule, one.level, one.line) for one in remarks] == [
        ("DL3020", "error", 4),
        ("DL3025", "warning", 8),
        ("DL3057", "warning", 2),
        ("DL3064", "warning", 7),
    ]


def test_hadolint_without_remarks_is_an_empty_list() -> None:
    assert hadolint.parse("[]\n") == ()


def test_a_dockerfile_that_hadolint_cannot_parse_is_never_clean() -> None:
    with pytest.raises(hadolint.NotParsed, match="line 1"):
        hadolint.parse(recorded("hadolint-2.15.1-not-parsed.json"))


GARBAGE = ["", "   ", "null", "{}", "[1]", '[{"code": "DL3000"}]', "Segmentation fault", "[" * 100_000, '"text"']


@pytest.mark.parametrize("text", [*GARBAGE, '[{"code":"DL1","level":"loud","line":1,"message":"x"}]'])
def test_hadolint_garbage_is_an_error(text: str) -> None:
    with pytest.raises(UnreadableOutput):
        hadolint.parse(text)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
@pytest.mark.parametrize("name", ["hadolint-2.15.1-article.json", "syft-1.18.1-alpine.cdx.json"])
def test_output_cut_short_is_an_error(name: str, share: float) -> None:
    text = recorded(name)
    parse = syft.parse if name.startswith("syft") else hadolint.parse
    with pytest.raises(UnreadableOutput):
        parse(text[: int(len(text) * share)])


def test_syft_documents_are_read_and_tell_their_maker() -> None:
    document = syft.parse(recorded("syft-1.18.1-alpine.cdx.json"))
    assert len(document["components"]) == 38
    assert syft.version(document) == "1.18.1"


@pytest.mark.parametrize(
    "text",
    [
        *GARBAGE,
        '{"bomFormat": "SPDX", "metadata": {}}',
        '{"bomFormat": "CycloneDX"}',
        '{"bomFormat":"CycloneDX","metadata":{},"components":{}}',
    ],
)
def test_syft_garbage_is_an_error(text: str) -> None:
    with pytest.raises(UnreadableOutput):
        syft.parse(text)


def test_labels_that_hold_secrets_are_hidden_in_the_bill_of_materials() -> None:
    document = json.loads(recorded("syft-1.18.1-alpine.cdx.json"))
    labels = document["metadata"]["properties"]
    labels.append({"name": "syft:image:labels:api-token", "value": "8f14e45fceea"})
    labels.append({"name": "syft:image:labels:note", "value": "git clone https://ci:8f14e45fceea@git.example.org"})
    hidden = syft.without_secrets(json.dumps(document))
    assert "8f14e45fceea" not in hidden
    assert len(syft.parse(hidden)["components"]) == 38


def test_a_document_without_secrets_stays_as_it_is() -> None:
    text = recorded("syft-1.18.1-alpine.cdx.json")
    assert syft.without_secrets(text) is text
