"""What every answer has in common: security headers, a Server header without a version, JSON errors without traces."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class NamelessHandler(WSGIRequestHandler):
    """Flask's development server, but for the versions of Werkzeug and Python in every answer's Server header."""

    def version_string(self) -> str:
        """Return what the Server header says."""
        return "werkzeug"


class HardenedFlask(Flask):
    """A Flask application whose answers carry the headers above, and whose development server tells no version."""

    def __init__(self, import_name: str, **options: Any) -> None:
        super().__init__(import_name, **options)
        self.after_request(_headers)
        self.register_error_handler(HTTPException, _error)

    def run(self, *args: Any, **options: Any) -> None:
        """Start the development server."""
        options.setdefault("request_handler", NamelessHandler)
        super().run(*args, **options)


def _headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


def _error(error: HTTPException) -> Response:
    # Starting from the exception's own answer keeps headers such as Allow.
    answer = error.get_response()
    body = json.dumps({"error": error.name, "status": error.code}, separators=(",", ":"), sort_keys=True) + "\n"
    return Response(body, answer.status_code, answer.headers, content_type="application/json")
