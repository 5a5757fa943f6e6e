"""The development server: `python -m app`, on $PORT or 5000. Not for production; here to be compared with gunicorn."""

from __future__ import annotations

import os

from app import create_app

if __name__ == "__main__":
    create_app().run(host="0.0.0.0", port=int(os.environ.get("PORT") or "5000"))  # noqa: S104 - a container's own address
