r"""The sample app under test: `create_app()`, and what each endpoint answers.

The contract. Every answer is UTF-8 and carries the headers of `app.hardening.HEADERS`; no answer names a version.

| request | answer (200) |
|---|---|
| GET `/` | text/html: `Hello, World!` |
| GET `/plaintext?message=M` | text/plain: M; `Hello, World!` where there is no `message` |
| GET `/json?message=M` | application/json: `{"message":M}`; `Hello, World!` where there is no `message` |
| GET `/fortunes?row=R` | text/html: a table of the 12 `app.routes.FORTUNES` and the row `(0, R)`, sorted by message |
| GET `/cpu?n=N` | application/json: `{"n":N,"primes":P}`, P being the number of primes up to N, 10000 if not given |
| GET `/io?ms=T` | application/json: `{"waited_ms":T}` after T milliseconds; T is 20 if not given |
| POST `/echo` | application/octet-stream: the request's body, byte for byte |
| GET `/healthz` | application/json: `{"status":"ok"}` |

M and R have at most 256 characters, N is 0 to 50000, T is 0 to 1000, both in plain decimal digits; a body has at most
65536 bytes. R is `Additional fortune added at request time.` if not given. JSON has no blanks, sorted keys, non-ASCII
characters as `\uXXXX`, and ends with a line feed. In the table `&`, `<`, `>`, `'` and `"` come out as `&amp;`, `&lt;`,
`&gt;`, `&#39;` and `&#34;`; its text is that of `app/templates/fortunes.html`, without a line feed at the end.

Errors are application/json: `{"error":NAME,"status":CODE}`, NAME being the status's standard phrase as Werkzeug has it:
400 `Bad Request` for a value outside these limits, 404 `Not Found`, 405 `Method Not Allowed` (with `Allow`),
413 `Request Entity Too Large`, 500 `Internal Server Error`. Nothing of the request or of a traceback is in them.
GET endpoints answer HEAD and OPTIONS too, as Flask does. Runs on Python 3.7 to 3.14 and Flask 2.2 to 3.x.
"""

from __future__ import annotations

from flask import Flask

from app import routes
from app.hardening import HardenedFlask


def create_app() -> Flask:
    """Make the WSGI application."""
    app = HardenedFlask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = routes.MAX_BODY_BYTES
    app.register_blueprint(routes.blueprint)
    return app
