"""Names of images are taken apart rightly, and a registry's refusal is told from no answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest

from harness.engine.client import Engine
from harness.engine.registry import of_error, parse, pull, repository_digest
from images.bases import lookup

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("reference", "host", "repository", "tag", "digest"),
    [
        ("python", "docker.io", "python", "latest", ""),
        ("python:3.13-slim", "docker.io", "python", "3.13-slim", ""),
        ("library/python:3.13", "docker.io", "library/python", "3.13", ""),
        ("gcr.io/distroless/python3:nonroot", "gcr.io", "gcr.io/distroless/python3", "nonroot", ""),
        ("127.0.0.1:5000/python", "127.0.0.1:5000", "127.0.0.1:5000/python", "latest", ""),
        ("localhost/python:1", "localhost", "localhost/python", "1", ""),
        (f"python@{DIGEST}", "docker.io", "python", "", DIGEST),
        (f"python:3.13@{DIGEST}", "docker.io", "python", "3.13", DIGEST),
        (f"127.0.0.1:5000/a/b@{DIGEST}", "127.0.0.1:5000", "127.0.0.1:5000/a/b", "", DIGEST),
    ],
)
def test_a_reference_is_taken_apart(reference: str, host: str, repository: str, tag: str, digest: str) -> None:
    found = parse(reference)
    assert (found.host, found.repository, found.tag, found.digest) == (host, repository, tag, digest)


@pytest.mark.parametrize(
    ("explanation", "answered"),
    [
        ("manifest unknown: manifest unknown", True),
        ("denied: requested access to the resource is denied", True),
        ("toomanyrequests: You have reached your pull rate limit.", True),
        ("received unexpected HTTP status: 503 Service Unavailable", True),
        ('Get "http://127.0.0.1:45919/v2/": dial tcp 127.0.0.1:45919: connect: connection refused', False),
        ('Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host', False),
        ('Get "https://registry-1.docker.io/v2/": Forbidden', False),
        ("Get https://gcr.io/v2/: net/http: TLS handshake timeout", False),
        ("Path /v1.41/distribution/x/json is not supported", False),
    ],
)
def test_a_refusal_is_an_answer(explanation: str, answered: bool) -> None:
    found = of_error(explanation)
    assert (found.answered, found.reason) == (answered, explanation)


class FakeApi:
    """An engine on a network where one registry answers and another does not, as Docker 20.10 says it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pulled: list[tuple[str, str]] = []

    def inspect_distribution(self, reference: str) -> dict[str, Any]:
        self.asked.append(reference)
        if reference.startswith("gcr.io/"):
            raise docker.errors.APIError('Get "https://gcr.io/v2/": Forbidden')
        if "typo" in reference:
            raise docker.errors.NotFound("manifest unknown: manifest unknown")
        return {"Descriptor": {"digest": DIGEST}}

    def pull(self, repository: str, tag: str) -> str:
        self.pulled.append((repository, tag))
        return ""

    def inspect_image(self, reference: str) -> dict[str, Any]:
        name = reference.partition("@")[0]
        return {"Id": "sha256:1", "RepoDigests": [f"{parse(name).repository}@{DIGEST}"]}


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def engine(api: FakeApi) -> Engine:
    client = cast(docker.DockerClient, SimpleNamespace(api=api))
    return Engine(client, run_id="20260101-000000-0001", source="a test", host="unix:///x")


def test_a_pinned_image_is_pulled_by_its_digest_and_no_other_is_taken_for_it(api: FakeApi) -> None:
    assert pull(engine(api), f"python:3.13@{DIGEST}") == DIGEST
    assert api.pulled == [("python", DIGEST)]
    assert repository_digest(engine(api), f"python:3.13@sha256:{'b' * 64}") is None


def test_each_registry_is_asked_once_and_one_that_is_blocked_hides_no_other(api: FakeApi) -> None:
    said: list[str] = []
    publics = ["python:typo", "python:3.13", "gcr.io/distroless/a", "gcr.io/distroless/b"]
    silent = lookup._silent_hosts(publics, engine(api), said.append, {})
    assert sorted(api.asked) == ["gcr.io/distroless/a", "python:typo"]
    assert list(silent) == ["gcr.io"]
    assert len(said) == 1
    assert "gcr.io does not answer" in said[0]
    assert "Forbidden" in said[0]


def test_bases_of_a_registry_that_answers_are_pulled_whatever_another_says(api: FakeApi) -> None:
    found = lookup.resolve_all(["python:3.13", f"python:3.12@{DIGEST}"], engine(api), say=print, recipes={})
    assert {base.public: base.digest for base in found.values()} == {
        "python:3.13": DIGEST,
        f"python:3.12@{DIGEST}": DIGEST,
    }


def test_what_a_registry_said_once_serves_the_harness_too(api: FakeApi) -> None:
    heard = lookup.Heard()
    first = lookup.resolve("python:3.13", engine(api), say=print, heard=heard)
    asked, pulled = list(api.asked), list(api.pulled)
    assert asked
    assert lookup.resolve("python:3.13", engine(api), say=print, heard=heard) == first
    assert (api.asked, api.pulled) == (asked, pulled)
    lookup.resolve(f"python:3.12@{DIGEST}", engine(api), say=print, heard=heard)
    assert api.asked == asked
    assert len(api.pulled) == len(pulled) + 1


def test_a_registry_that_was_silent_once_is_not_waited_for_again(api: FakeApi) -> None:
    heard: dict[str, str] = {}
    said: list[str] = []
    silent = lookup._silent_hosts(["gcr.io/distroless/a"], engine(api), said.append, heard)
    assert lookup._silent_hosts(["gcr.io/distroless/b"], engine(api), said.append, heard) == silent
    assert api.asked == ["gcr.io/distroless/a"]
    assert len(said) == 1
