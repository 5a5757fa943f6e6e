"""What belongs to the developer's desk must not be in the image."""

from __future__ import annotations

import posixpath
from collections import Counter
from fnmatch import fnmatchcase

from harness.model import Outcome, Severity
from security.check import Check, failed_or_passed
from security.subjects import Entry, FileSystem

FOLDERS = (
    ".git",
    ".svn",
    ".hg",
    ".aws",
    ".azure",
    ".kube",
    ".ssh",
    ".gnupg",
    ".cache",
    ".vscode",
    ".idea",
    ".tox",
    ".pytest_cache",
    ".mypy_cache",
)
FILES = (
    "Dockerfile", "Dockerfile.*", "*.Dockerfile", "docker-compose.y*ml", ".dockerignore", ".dockercfg",
    ".env", ".env.*", "*.env", ".netrc", ".npmrc", ".pypirc", ".git-credentials", ".gitconfig", ".htpasswd",
    ".pgpass", ".my.cnf", ".bash_history", ".ash_history", ".python_history", ".vault-token", "credentials.json",
    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.ppk", "*.kdbx", "*.tfstate", "*.swp", "*.orig", ".DS_Store",
)  # fmt: skip
NOT_OURS = ("/site-packages/", "/dist-packages/", "usr/share/", "usr/lib/")
"""Where packages keep files of such names rightly; folders such as .git count there too."""

CHECK = Check(
    id="DKL-LI-0003",
    title="Files from a developer's desk",
    severity=Severity.MEDIUM,
    rationale="They tell how the app is made and often hold credentials, and they are not needed to run it.",
    remediation="Copy what the app needs by name, and list the rest in .dockerignore; never COPY . .",
    good=[
        FileSystem.of(Entry("app/app.py"), Entry("root/.bashrc"), Entry("usr/lib/python3/dist-packages/x/Dockerfile")),
        FileSystem.of(Entry("root/.cache", "directory")),
        FileSystem.of(Entry("app/environment"), Entry("usr/bin/env")),
    ],
    bad=[
        FileSystem.of(Entry("app/.git/HEAD"), Entry("app/.git/config")),
        *(
            FileSystem.of(Entry(f"app/{name}"))
            for name in ("Dockerfile", ".env", "prod.env", "id_rsa", "docker-compose.yml")
        ),
        FileSystem.of(Entry("root/.aws/credentials")),
        FileSystem.of(Entry("root/.cache/pip/x")),
    ],
)


def test(files: FileSystem) -> Outcome:
    """Fail for each such file, and once for each such folder that is not empty."""
    folders: Counter[str] = Counter()
    found = []
    for entry in files:
        if entry.kind == "directory":
            continue
        parts = entry.path.split("/")
        inside = next((n for n, part in enumerate(parts[:-1]) if part in FOLDERS), None)
        if inside is not None:
            folders["/".join(parts[: inside + 1])] += 1
        elif not any(place in entry.path or entry.path.startswith(place) for place in NOT_OURS):
            name = posixpath.basename(entry.path)
            if any(fnmatchcase(name, pattern) for pattern in FILES):
                found.append(f"/{entry.path}: {entry.size_bytes:,} bytes")
    return failed_or_passed([*found, *(f"/{folder}: {count} files" for folder, count in folders.items())])
