"""The sample app answers as its contract says, whatever the input."""

from __future__ import annotations

import ast
import html
import io
import json
import logging
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app import create_app, hardening, routes
from harness.paths import ROOT

OLDEST_PYTHON = (3, 7)
"""The article's; the newest is what these tests run on, and what the images have."""


@pytest.fixture
def client() -> FlaskClient:
    return create_app().test_client()


@pytest.mark.parametrize(
    ("url", "media_type", "body"),
    [
        ("/", "text/html; charset=utf-8", "Hello, World!"),
        ("/plaintext", "text/plain; charset=utf-8", "Hello, World!"),
        ("/plaintext?message=gr%C3%BC%C3%9F", "text/plain; charset=utf-8", "grüß"),
        ("/json", "application/json", '{"message":"Hello, World!"}\n'),
        ("/json?message=%E3%83%99%3Cb%3E", "application/json", '{"message":"\\u30d9<b>"}\n'),
        ("/cpu", "application/json", '{"n":10000,"primes":1229}\n'),
        ("/cpu?n=0", "application/json", '{"n":0,"primes":0}\n'),
        ("/cpu?n=2", "application/json", '{"n":2,"primes":1}\n'),
        ("/cpu?n=50000", "application/json", '{"n":50000,"primes":5133}\n'),
        ("/io?ms=0", "application/json", '{"waited_ms":0}\n'),
        ("/healthz", "application/json", '{"status":"ok"}\n'),
    ],
)
def test_answers_whole_body_and_type(client: FlaskClient, url: str, media_type: str, body: str) -> None:
    answer = client.get(url)
    assert (answer.status_code, answer.content_type, answer.text) == (200, media_type, body)


def test_cpu_counts_primes_as_a_sieve_does() -> None:
    sieve = [False, False] + [True] * 1999
    for n in range(2, 2001):
        for multiple in range(2 * n, 2001, n):
            sieve[multiple] = False
    for n in (1, 2, 3, 4, 9, 25, 121, 1000, 2000):
        assert routes.count_primes(n) == sum(sieve[: n + 1])


def test_io_waits(monkeypatch: pytest.MonkeyPatch, client: FlaskClient) -> None:
    waited: list[float] = []
    monkeypatch.setattr("app.routes.time.sleep", waited.append)
    assert client.get("/io").text == '{"waited_ms":20}\n'
    assert client.get("/io?ms=1000").text == '{"waited_ms":1000}\n'
    assert waited == [0.02, 1.0]


@pytest.mark.parametrize("row", [None, "<script>alert('x')</script>", 'a & "b"', "日本語", ""])
def test_fortunes_are_sorted_and_escaped(client: FlaskClient, row: str | None) -> None:
    answer = client.get("/fortunes", query_string={} if row is None else {"row": row})
    added = "Additional fortune added at request time." if row is None else row
    cells = re.findall(r"<tr><td>(\d+)</td><td>(.*?)</td></tr>", answer.text)
    expected = sorted([(0, added), *routes.FORTUNES], key=lambda fortune: fortune[1])
    assert [(int(number), html.unescape(text)) for number, text in cells] == expected
    assert not re.search(r"[<>\"']", "".join(text for _, text in cells))
    assert answer.text.startswith("<!DOCTYPE html>\n")
    assert answer.text.endswith("</html>")


@pytest.mark.parametrize("body", [b"", b"\x00\xff<script>", b"x" * 65536], ids=["empty", "binary", "largest"])
def test_echo_gives_the_body_back(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/echo", data=body, content_type="text/html")
    assert (answer.status_code, answer.content_type, answer.data) == (200, "application/octet-stream", body)


@pytest.mark.parametrize("announced", [True, False], ids=["content-length", "chunked"])
def test_echo_refuses_what_is_too_large(client: FlaskClient, announced: bool) -> None:
    body = b"x" * 65537
    if announced:
        answer = client.post("/echo", data=body)
    else:
        answer = client.post("/echo", input_stream=io.BytesIO(body), environ_overrides={"wsgi.input_terminated": True})
    assert (answer.status_code, answer.text) == (413, '{"error":"Request Entity Too Large","status":413}\n')


@pytest.mark.parametrize(
    "url",
    [
        "/cpu?n=50001",
        "/cpu?n=-1",
        "/cpu?n=",
        "/cpu?n=1_0",
        "/cpu?n=+1",
        "/cpu?n=%D9%A3",
        "/cpu?n=" + "9" * 5000,
        "/io?ms=1001",
        "/io?ms=20.5",
        "/json?message=" + "x" * 257,
        "/plaintext?message=" + "x" * 257,
        "/fortunes?row=" + "x" * 257,
    ],
    ids=lambda url: url[:24],
)
def test_values_outside_the_limits_are_bad_requests(client: FlaskClient, url: str) -> None:
    answer = client.get(url)
    assert (answer.status_code, answer.text) == (400, '{"error":"Bad Request","status":400}\n')


def test_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    answer = client.get("/echo")
    assert (answer.status_code, answer.text) == (405, '{"error":"Method Not Allowed","status":405}\n')
    assert "POST" in answer.headers["Allow"]


def test_an_error_in_the_app_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app = create_app()

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("the secret cause")

    with caplog.at_level(logging.CRITICAL):
        answer = app.test_client().get("/broken")
    assert (answer.status_code, answer.text) == (500, '{"error":"Internal Server Error","status":500}\n')


@pytest.mark.parametrize("url", ["/", "/fortunes", "/echo", "/nowhere", "/cpu?n=x"])
def test_every_answer_has_the_security_headers(client: FlaskClient, url: str) -> None:
    answer = client.get(url)
    assert {name: answer.headers.get(name) for name in hardening.HEADERS} == hardening.HEADERS
    assert "'none'" in answer.headers["Content-Security-Policy"]


def test_the_unknown_is_not_echoed(client: FlaskClient) -> None:
    answer = client.get("/<script>alert(1)</script>")
    assert json.loads(answer.text) == {"error": "Not Found", "status": 404}


def test_the_development_server_names_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr("werkzeug.serving.run_simple", lambda *_arguments, **options: given.update(options))
    monkeypatch.delenv("FLASK_RUN_FROM_CLI", raising=False)
    create_app().run(host="127.0.0.1", port=1)
    handler = given["request_handler"]
    assert isinstance(handler, type)
    assert issubclass(handler, hardening.NamelessHandler)
    assert not any(character.isdigit() for character in handler.version_string(handler.__new__(handler)))


@pytest.mark.parametrize("path", sorted((ROOT / "app").glob("*.py")), ids=lambda path: path.name)
def test_it_is_written_for_the_articles_python_too(path: Path) -> None:
    assert ast.parse(path.read_text("utf-8"), feature_version=OLDEST_PYTHON).body
