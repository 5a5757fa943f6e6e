"""The endpoints, after the well-known web-framework benchmark types; what they answer is said in `app/__init__.py`."""

from __future__ import annotations

import time

from flask import Blueprint, Response, abort, jsonify, render_template, request

MAX_MESSAGE_CHARACTERS = 256
MAX_BODY_BYTES = 64 * 1024
MAX_N = 50_000
MAX_MS = 1_000

FORTUNES = (
    (1, "fortune: No such file or directory"),
    (2, "A computer scientist is someone who fixes things that aren't broken."),
    (3, "After enough decimal places, nobody gives a damn."),
    (4, "A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1"),
    (5, "A computer program does what you tell it to do, not what you want it to do."),
    (6, "Emacs is a nice operating system, but I prefer UNIX. — Tom Christaensen"),
    (7, "Any program that runs right is obsolete."),
    (8, "A list is only as strong as its weakest link. — Donald Knuth"),
    (9, "Feature: A bug with seniority."),
    (10, "Computers make very fast, very accurate mistakes."),
    (11, '<script>alert("This should not be displayed in a browser alert box.");</script>'),
    (12, "フレームワークのベンチマーク"),
)

blueprint = Blueprint("routes", __name__)


@blueprint.get("/")
def hello() -> str:
    """Answer as the article's app does."""
    return "Hello, World!"


@blueprint.get("/plaintext")
def plaintext() -> Response:
    """Answer with the least work that there is."""
    return Response(_text("message", "Hello, World!"), mimetype="text/plain")


@blueprint.get("/json")
def json() -> Response:
    """Serialize a small object."""
    return jsonify(message=_text("message", "Hello, World!"))


@blueprint.get("/fortunes")
def fortunes() -> str:
    """Render a template with rows that need escaping."""
    added = (0, _text("row", "Additional fortune added at request time."))
    return render_template("fortunes.html", rows=sorted((added, *FORTUNES), key=lambda row: row[1]))


@blueprint.get("/cpu")
def cpu() -> Response:
    """Compute in pure Python for about two milliseconds, and for some ten at the most."""
    n = _number("n", default=10_000, most=MAX_N)
    return jsonify(n=n, primes=count_primes(n))


@blueprint.get("/io")
def io() -> Response:
    """Wait, as for an answer from upstream."""
    ms = _number("ms", default=20, most=MAX_MS)
    time.sleep(ms / 1000)
    return jsonify(waited_ms=ms)


@blueprint.post("/echo")
def echo() -> Response:
    """Give the request's body back."""
    # Werkzeug before 2.3 holds the limit for forms only, so it is held here: before reading, and while reading.
    if (request.content_length or 0) > MAX_BODY_BYTES:
        abort(413)
    body = b""
    part = request.stream.read(MAX_BODY_BYTES + 1)
    while part:
        body += part
        if len(body) > MAX_BODY_BYTES:
            abort(413)
        part = request.stream.read(MAX_BODY_BYTES + 1 - len(body))
    return Response(body, mimetype="application/octet-stream")


@blueprint.get("/healthz")
def healthz() -> Response:
    """Say that the process can answer; nothing stands behind it that could be ill."""
    return jsonify(status="ok")


def count_primes(n: int) -> int:
    """Return how many primes there are up to `n`, by trial division: work that no cache or C code shortens."""
    found: list[int] = []
    for candidate in range(2, n + 1):
        for prime in found:
            if prime * prime > candidate:
                found.append(candidate)
                break
            if candidate % prime == 0:
                break
        else:
            found.append(candidate)
    return len(found)


def _text(name: str, default: str) -> str:
    value = request.args.get(name, default)
    if len(value) > MAX_MESSAGE_CHARACTERS:
        abort(400)
    return value


def _number(name: str, default: int, most: int) -> int:
    value = request.args.get(name)
    if value is None:
        return default
    # int() alone would take blanks, signs, underscores and digits of other scripts, and spend long on a long one.
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(most)) and int(value) <= most):
        abort(400)
    return int(value)
