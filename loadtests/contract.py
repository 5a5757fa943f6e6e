"""The sample app's contract: what each endpoint is asked, and what a correct answer is: inputs vary.

A contract for another app is a module like this one. Seatrial uses four names of it: `READY`, `JOURNEYS`, `case` and
`examination`. Standard library and `loadtests.cases` only, since it runs in the generator's container.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Mapping
from random import Random
from typing import Any
from urllib.parse import quote

from loadtests.cases import Case

READY = "hello"
"""The endpoint whose first correct answer says that the app is up."""

JOURNEYS: Mapping[str, int] = {
    "hello": 4,
    "plaintext": 4,
    "json": 4,
    "fortunes": 3,
    "echo": 2,
    "cpu": 1,
    "io": 1,
}
"""Endpoint -> weight in the mix, where a load profile names none."""

CLASSES_DIFFER = ("io", "cpu")
"""Where gunicorn's worker classes differ most: an endpoint that waits, and one that computes. May be left out."""

CASES_PER_ENDPOINT = 4

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}

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

MOST_CHARACTERS = 256
MOST_BODY_BYTES = 65_536
MOST_N = 50_000
MOST_MS = 1_000

_WORDS = (
    "mast", "keel & hull", "<b>bow</b>", "Ruder", "çapa", "帆", "парус", "it's", '"aft"', "a+b=c%", "100 %", "🚢",
    "stern;", "#deck", "ankare\\", "λιμάνι",
)  # fmt: skip
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("'", "&#39;"), ('"', "&#34;"))


def case(endpoint: str, random: Random) -> Case:
    """Make one request to an endpoint, with an input of its own, and the answer to it.

    Raises:
        KeyError: the contract has no such endpoint.

    """
    return _MAKERS[endpoint](random)


def examination(random: Random) -> list[Case]:
    """Return all that is asked before and after the load: every endpoint several times, defaults, limits and errors."""
    varied = [case(endpoint, random) for endpoint in _MAKERS for _ in range(CASES_PER_ENDPOINT)]
    return varied + _defaults() + _limits(random) + _errors(random)


def _hello(_: Random) -> Case:
    return _right(endpoint="hello", target="/", content_type="text/html", answer=b"Hello, World!")


def _plaintext(random: Random) -> Case:
    message = _message(random)
    return _right(
        endpoint="plaintext", target=_with("/plaintext", message=message), content_type="text/plain",
        answer=message.encode(),
    )  # fmt: skip


def _json(random: Random) -> Case:
    message = _message(random)
    return _right_json("json", _with("/json", message=message), message=message)


def _fortunes(random: Random) -> Case:
    row = _message(random)
    return _right(endpoint="fortunes", target=_with("/fortunes", row=row), content_type="text/html", answer=_table(row))


def _cpu(random: Random) -> Case:
    n = random.randint(9_000, 11_000)
    return _right_json("cpu", _with("/cpu", n=n), n=n, primes=_count_primes(n))


def _io(random: Random) -> Case:
    ms = random.randint(15, 25)
    return _right_json("io", _with("/io", ms=ms), at_least_s=ms / 1000, waited_ms=ms)


def _echo(random: Random) -> Case:
    body = random.randbytes(random.randint(1, 1024))
    return _right(
        endpoint="echo", method="POST", target="/echo", body=body, content_type="application/octet-stream", answer=body,
        request_headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip


def _healthz(_: Random) -> Case:
    return _right_json("healthz", "/healthz", status="ok")


_MAKERS: Mapping[str, Callable[[Random], Case]] = {
    "hello": _hello,
    "plaintext": _plaintext,
    "json": _json,
    "fortunes": _fortunes,
    "echo": _echo,
    "cpu": _cpu,
    "io": _io,
    "healthz": _healthz,
}


def _defaults() -> list[Case]:
    added = "Additional fortune added at request time."
    greeting = "Hello, World!"
    return [
        _right(endpoint="plaintext", target="/plaintext", content_type="text/plain", answer=greeting.encode()),
        _right_json("json", "/json", message=greeting),
        _right(endpoint="fortunes", target="/fortunes", content_type="text/html", answer=_table(added)),
        _right_json("cpu", "/cpu", n=10_000, primes=1_229),
        _right_json("io", "/io", at_least_s=0.020, waited_ms=20),
        _right(endpoint="hello", method="HEAD", target="/", content_type="text/html", answer=b""),
    ]


def _limits(random: Random) -> list[Case]:
    longest = "".join(random.choice("<&é帆x") for _ in range(MOST_CHARACTERS))
    return [
        _right_json("json", _with("/json", message=longest), message=longest),
        _right_json("cpu", "/cpu?n=0", n=0, primes=0),
        _right_json("cpu", f"/cpu?n={MOST_N}", n=MOST_N, primes=_count_primes(MOST_N)),
        _right_json("io", "/io?ms=0", waited_ms=0),
    ]


def _errors(random: Random) -> list[Case]:
    nowhere = f"/{random.randrange(10**9)}"
    too_long = "x" * (MOST_CHARACTERS + 1)
    return [
        _wrong("not-found", nowhere, 404, "Not Found"),
        _wrong("hello", "/", 405, "Method Not Allowed", method="POST", body=b""),
        _wrong("echo", "/echo", 405, "Method Not Allowed"),
        _wrong("plaintext", _with("/plaintext", message=too_long), 400, "Bad Request"),
        _wrong("fortunes", _with("/fortunes", row=too_long), 400, "Bad Request"),
        *(_wrong("cpu", f"/cpu?n={n}", 400, "Bad Request") for n in (MOST_N + 1, -1, "", "1e3", "%D9%A3")),
        *(_wrong("io", f"/io?ms={ms}", 400, "Bad Request") for ms in (MOST_MS + 1, "+1", "0x10")),
        _wrong(
            "echo", "/echo", 413, "Request Entity Too Large", method="POST", announced_bytes=MOST_BODY_BYTES + 1
        ),
    ]  # fmt: skip


def _right(**parts: Any) -> Case:
    return Case(headers=HEADERS, **parts)


def _right_json(endpoint: str, target: str, *, at_least_s: float = 0.0, **fields: str | int) -> Case:
    return _right(
        endpoint=endpoint, target=target, content_type="application/json", answer=_as_json(fields),
        at_least_s=at_least_s,
    )  # fmt: skip


def _wrong(endpoint: str, target: str, status: int, name: str, **parts: Any) -> Case:
    return _right(
        endpoint=endpoint, target=target, status=status, content_type="application/json",
        answer=_as_json({"error": name, "status": status}), **parts,
    )  # fmt: skip


def _with(path: str, **arguments: str | int) -> str:
    return path + "?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in arguments.items())


def _as_json(fields: Mapping[str, str | int]) -> bytes:
    return (json.dumps(fields, separators=(",", ":"), sort_keys=True) + "\n").encode()


def _message(random: Random) -> str:
    words = [random.choice(_WORDS) for _ in range(random.randint(2, 6))]
    return " ".join([*words, str(random.randrange(10**9))])


def _table(row: str) -> bytes:
    rows = sorted([(0, row), *FORTUNES], key=lambda fortune: fortune[1])
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><title>Fortunes</title></head>',
        "<body>",
        "<table>",
        "<tr><th>id</th><th>message</th></tr>",
        *(f"<tr><td>{number}</td><td>{_escaped(message)}</td></tr>" for number, message in rows),
        "</table>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines).encode()


def _escaped(text: str) -> str:
    for character, entity in _ESCAPES:
        text = text.replace(character, entity)
    return text


def _sieve(most: int) -> tuple[int, ...]:
    """Return the primes up to `most`, by another way than the app's, so that both cannot err alike."""
    maybe = bytearray([1]) * (most + 1)
    maybe[:2] = b"\0\0"
    for number in range(2, int(most**0.5) + 1):
        if maybe[number]:
            maybe[number * number :: number] = bytes(len(range(number * number, most + 1, number)))
    return tuple(number for number, is_prime in enumerate(maybe) if is_prime)


_PRIMES = _sieve(MOST_N)


def _count_primes(n: int) -> int:
    return bisect_right(_PRIMES, n)
