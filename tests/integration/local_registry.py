"""A registry of one image on the loopback, which engines take without TLS: real pulling without a real network."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.engine.labels import ROLE, Role

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Content:
    """The image: blobs by digest, and its manifest."""

    def __init__(self, layer: bytes) -> None:
        packed = gzip.compress(layer, mtime=0)
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Labels": {ROLE: str(Role.BASE)}, "Cmd": ["/sleep", "600"]},
                "rootfs": {"type": "layers", "diff_ids": [digest(layer)]},
                "history": [{"created_by": "a test"}],
            }
        ).encode()
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": entry("application/vnd.docker.container.image.v1+json", config),
                "layers": [entry("application/vnd.docker.image.rootfs.diff.tar.gzip", packed)],
            }
        ).encode()
        self.blobs = {digest(blob): blob for blob in (config, packed)}


def digest(data: bytes) -> str:
    """Return a digest as registries write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def entry(kind: str, data: bytes) -> dict[str, object]:
    """Return a manifest's description of a blob."""
    return {"mediaType": kind, "size": len(data), "digest": digest(data)}


@contextmanager
def serving(layer: bytes, name: str, tag: str) -> Iterator[tuple[str, str]]:
    """Serve an image of one layer; yield the registry's address and the image's digest."""
    content = Content(layer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(body=True)

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self, *, body: bool) -> None:
            kind, data = "application/octet-stream", content.blobs.get(self.path.rpartition("/")[2])
            if self.path in (f"/v2/{name}/manifests/{each}" for each in (tag, digest(content.manifest))):
                kind, data = MANIFEST, content.manifest
            elif self.path == "/v2/":
                kind, data = "application/json", b"{}"
            self.send_response(404 if data is None else 200)
            data = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}' if data is None else data
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Docker-Content-Digest", digest(data))
            self.end_headers()
            if body:
                self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}", digest(content.manifest)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
