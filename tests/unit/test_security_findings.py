"""What two sources say of one thing is one finding; nothing secret is in any of them."""

from __future__ import annotations

import pytest

from harness.model import Failed, Finding, Severity
from security import secrets
from security.check import Check, discover
from security.findings import SAME, merged, of_check, of_hadolint
from security.scanners.hadolint import Remark


def _finding(identifier: str, severity: Severity = Severity.LOW, where: str = "x", source: str = "seatrial") -> Finding:
    return Finding(
        id=identifier,
        title="t",
        severity=severity,
        variant="v",
        where=where,
        evidence="e",
        remediation="r",
        sources=(source,),
    )


def _check(*, each: bool = False) -> Check:
    return Check(
        id="X-1",
        title="t",
        severity=Severity.LOW,
        rationale="r",
        remediation="r",
        good=[1],
        bad=[2],
        one_finding_each=each,
    )


def test_one_rule_in_two_places_is_one_finding() -> None:
    remarks = [Remark("DL3059", "info", 7, "m"), Remark("DL3059", "warning", 3, "m")]
    (found,) = of_hadolint(remarks, "v")
    assert (found.where, found.severity) == ("Dockerfile:3 and 1 more", Severity.LOW)
    assert "Dockerfile:7" in found.evidence


def test_levels_become_severities() -> None:
    assert of_hadolint([Remark("DL3020", "error", 1, "m")], "v")[0].severity is Severity.MEDIUM


def test_a_check_with_one_remedy_is_one_finding() -> None:
    (found,) = of_check(_check(), Failed(evidence=("/a: x", "/b: y")), "v")
    assert (found.where, found.evidence) == ("/a and 1 more", "/a: x; /b: y")


def test_a_check_with_a_remedy_each_is_a_finding_each() -> None:
    assert [one.where for one in of_check(_check(each=True), Failed(evidence=("/a: x", "/b: y")), "v")] == ["/a", "/b"]


def test_long_evidence_is_shortened_and_says_so() -> None:
    (found,) = of_check(_check(), Failed(evidence=tuple(f"/{n}: x" for n in range(40))), "v")
    assert found.evidence.endswith("and 28 more")


def test_the_same_from_two_sources_is_one_line_with_both() -> None:
    (found,) = merged([_finding("DL3020", Severity.MEDIUM, source="hadolint"), _finding("CIS-4.9")])
    assert (found.id, found.sources, found.severity) == ("CIS-4.9", ("hadolint", "seatrial"), Severity.MEDIUM)


def test_what_only_hadolint_says_stays() -> None:
    assert [one.id for one in merged([_finding("DL3020", source="hadolint")])] == ["DL3020"]


def test_what_the_built_image_settles_is_no_finding() -> None:
    assert merged([_finding("DL3057", source="hadolint")], passed=["CIS-4.6"]) == ()
    assert merged([_finding("DL3020", source="hadolint")], passed=["CIS-4.9"]) != ()


def test_the_worst_comes_first_and_the_order_is_fixed() -> None:
    found = [_finding("B"), _finding("A", where="y"), _finding("A"), _finding("C", Severity.HIGH)]
    assert [(one.id, one.where) for one in merged(found)] == [("C", "x"), ("A", "x"), ("A", "y"), ("B", "x")]
    assert merged(found) == merged(found[::-1])


def test_two_findings_in_one_place_are_both_told() -> None:
    one, other = _finding("CIS-4.10"), _finding("CIS-4.10").model_copy(update={"evidence": "/x: npm token, in layer 2"})
    (found,) = merged([one, other, one])
    assert found.evidence == f"{one.evidence}; {other.evidence}"


def test_the_table_of_equals_names_checks_that_there_are() -> None:
    assert set(SAME.values()) <= {one.check.id for one in discover()}


SECRET = "8f14e45fceea167a"  # noqa: S105 - made up


@pytest.mark.parametrize(
    "text",
    [
        f"ADD https://ci:{SECRET}@git.example.org/x /",
        f'RUN curl -H "Authorization: Bearer {SECRET}" x',
        f"|1 TOKEN={SECRET} /bin/sh -c make",
        f"RUN mysql --password={SECRET}",
        f"RUN mysql --password {SECRET}",
        f"ENV DB_PASSWORD='{SECRET} x'",
    ],
)
def test_secrets_are_hidden_in_evidence(text: str) -> None:
    hidden = secrets.redacted(text)
    assert SECRET not in hidden
    assert secrets.HIDDEN in hidden


@pytest.mark.parametrize(
    "text", ["pip install --require-hashes -r x", "/usr/bin/su: setuid to uid 0", "ENV PATH=/usr/bin"]
)
def test_other_evidence_stays_as_it_is(text: str) -> None:
    assert secrets.redacted(text) == text


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq3Zf0u5o8b1f2Qd3lq9b8m4n5v6c7x8z9a0s1d2f3g4h5j\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (KEY, "private key"),
        (KEY.replace("RSA ", "OPENSSH ").replace("\n", "\\n"), "private key"),
        ("aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYQYLPMN5HFIQR", "AWS secret key"),
        ("AKIAQYLPMN5HFIQR7XYA", "AWS access key"),
        ("//registry/:_authToken=0123abcd4567efab89c1", "npm token"),
        ("machine git.example.org login me password hunter22", "password in .netrc form"),
        ("hf_" + "aBcDeFgHiJkLmNoPqR" + "sTuVwXyZaBcDeFgH", "Hugging Face token"),
        ("AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q", "Google API key"),
    ],
)
def test_credentials_are_known_by_their_shape(data: str, kind: str) -> None:
    assert list(secrets.kinds_in("x", data.encode())) == [kind]


@pytest.mark.parametrize(
    ("path", "data", "kinds"),
    [
        ("app/settings.py", 'DB = "postgresql://app:s3cr3t@db/app"', ["password in a URL"]),
        ("app/get.sh", "curl -H 'Authorization: Bearer 8f14e45fceea167a'", ["credential in a request header"]),
        ("app/.env", "DB_PASSWORD=hunter2\nDEBUG=true\n", ["a value for DB_PASSWORD, whose name says secret"]),
        ("srv/prod.env", "API_KEY='8f14e45f'", ["a value for API_KEY, whose name says secret"]),
        ("app/notes.md", "DB_PASSWORD=hunter2", []),
        ("app/settings.py", 'DB = "postgresql://user:password@example/app"', []),
        ("usr/lib/python3.13/urllib/request.py", '"http://joe:password@python.org"', []),
        ("opt/venv/lib/python3.13/site-packages/a.py", '"redis://me:hunter22@db"', []),
        ("app/cache.bin", "\0postgresql://app:s3cr3t@db/app", []),
    ],
)
def test_passwords_in_urls_headers_and_env_files_are_looked_for_in_the_apps_own_files(
    path: str, data: str, kinds: list[str]
) -> None:
    assert list(secrets.kinds_in(path, data.encode())) == kinds


@pytest.mark.parametrize(
    "data",
    [
        "-----BEGIN RSA PRIVATE KEY-----\0-----END RSA PRIVATE KEY-----",
        'if line == "-----BEGIN PRIVATE KEY-----": pass',
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7bq3Zf0u5o8b1f2Qd3lq9b8m\n",
        "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7bq3Zf0u5o8b1f2Qd3lq9b8m\n",
    ],
)
def test_what_is_no_credential_is_none(data: str) -> None:
    assert list(secrets.kinds_in("x", data.encode())) == []
