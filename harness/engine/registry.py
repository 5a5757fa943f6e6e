"""Registries, asked through the engine: whether one answers, and pulling."""

from __future__ import annotations

import queue
import re
import threading
from dataclasses import dataclass

import docker.errors

from harness.engine.client import Engine, told
from harness.errors import SeatrialError

PULL_TIMEOUT_S = 900
DEFAULT_HOST = "docker.io"

# How Go words a request that got no answer, or none that a registry gives: `Get "https://.../v2/": dial tcp: ...`.
_UNANSWERED = re.compile(r'\b(Get|Head|Post) "?https?://')
_CANNOT_ASK = "is not supported"
"""Podman's answer to the question itself."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of asking a registry for an image's digest."""

    answered: bool
    """Whether the registry itself said anything, an error included."""
    reason: str = ""
    """Its error, or why there is no answer; empty where it has the image."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The parts of an image's name: `repository[:tag][@digest]`."""

    repository: str
    tag: str
    """`latest` where there is neither tag nor digest; empty where there is a digest alone."""
    digest: str = ""

    @property
    def host(self) -> str:
        """The registry's host, with its port; Docker's own where the name begins with none."""
        first, slash, _ = self.repository.partition("/")
        return first if slash and (first == "localhost" or "." in first or ":" in first) else DEFAULT_HOST


def parse(reference: str) -> Reference:
    """Take an image's name apart."""
    named, _, digest = reference.partition("@")
    before, slash, last = named.rpartition("/")
    name, _, tag = last.partition(":")
    return Reference(repository=before + slash + name, tag=tag or ("" if digest else "latest"), digest=digest)


def ask(engine: Engine, reference: str, *, timeout_s: float) -> Answer:
    """Ask the registry of an image for that image's digest, and wait no longer than told.

    The engine's own patience is longer than a user's: the question is left behind in a thread that ends with it.
    """
    answer: queue.Queue[Answer] = queue.Queue()

    def question() -> None:
        try:
            engine.api.inspect_distribution(reference)  # type: ignore[no-untyped-call]
            answer.put(Answer(answered=True))
        except docker.errors.APIError as error:
            answer.put(of_error(str(error.explanation or error)))
        except Exception as error:
            # Whatever it is, an engine that is gone included: no registry answers through it.
            answer.put(Answer(answered=False, reason=str(error)))

    threading.Thread(target=question, daemon=True).start()
    try:
        return answer.get(timeout=timeout_s)
    except queue.Empty:
        return Answer(answered=False, reason=f"nothing within {timeout_s:g} s")


def of_error(explanation: str) -> Answer:
    """Tell a registry's own refusal ("manifest unknown", "denied") from one that could not be asked at all."""
    unanswered = _UNANSWERED.search(explanation) is not None or _CANNOT_ASK in explanation
    return Answer(answered=not unanswered, reason=explanation)


def pull(engine: Engine, reference: str) -> str:
    """Pull an image and return its repository digest (`sha256:...`).

    Raises:
        EngineRefused: the registry does not have it or did not answer.

    """
    wanted = parse(reference)
    with told(f"pulling {reference}"):
        try:
            # A digest takes the tag's place: what the tag names now may be another image.
            engine.api.pull(wanted.repository, tag=wanted.digest or wanted.tag)
        except docker.errors.NotFound as error:
            raise docker.errors.APIError(str(error), error.response, error.explanation) from error
    digest = repository_digest(engine, reference)
    if digest is None:
        raise SeatrialError(f"The engine pulled {reference} but does not say its digest.")
    return digest


def repository_digest(engine: Engine, reference: str) -> str | None:
    """Return the digest under which the engine pulled an image once; None where it has none, or made it itself."""
    found = engine.image(reference)
    wanted = parse(reference)
    for each in (found or {}).get("RepoDigests") or ():
        name, _, digest = str(each).partition("@")
        same = name == wanted.repository or name.endswith(f"/{wanted.repository}")
        if same and wanted.digest in ("", digest):
            return digest
    return None
