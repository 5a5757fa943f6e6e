"""Images must hold no secrets: not in the environment, history, labels, nor in a file of any layer."""

from __future__ import annotations

from collections.abc import Iterable

from harness.model import Outcome, Severity, Skipped
from security.check import Check, failed_or_passed
from security.secrets import assignments, kinds_in_text, secret_names
from security.subjects import BuiltImage, FileSystem, HistoryEntry, ImageConfig, SecretHit


def _env(*words: str) -> BuiltImage:
    return BuiltImage(config=ImageConfig(env=dict(word.split("=", 1) for word in words)))


def _history(created_by: str) -> BuiltImage:
    return BuiltImage(config=ImageConfig(history=(HistoryEntry(created_by=created_by),)))


CHECK = Check(
    id="CIS-4.10",
    title="Secret in the image",
    severity=Severity.HIGH,
    rationale="Whoever can pull the image can read it, in every layer, deleted files too. It cannot be called back.",
    remediation="Revoke it. Give secrets at run time (a mounted file), or to the build by RUN --mount=type=secret.",
    good=[
        _env("PATH=/usr/bin", "GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305", f"PYTHON_SHA256={'0' * 64}"),
        _env("TOKEN_FILE=/run/secrets/token", "SECRET_KEY=", "PASSWORD=$PASSWORD", "TOKENS_ALLOWED=true"),
        _env("API_KEY_URL=https://keys.example.org/api", "TOKENIZER=fast"),
        _history("RUN /bin/sh -c pip install -r requirements.txt"),
        BuiltImage(config=ImageConfig(labels={"org.opencontainers.image.source": "https://git.example.org/a/b"})),
        BuiltImage(),
    ],
    bad=[
        _env("API_TOKEN=8f14e45fceea167a"),
        _env("DB_PASSWORD=hunter2"),
        _env("DATABASE_URL=postgresql://app:s3cr3t@db/app"),
        _env("KEY=AKIAQYLPMN5HFIQR7XYA"),
        BuiltImage(
            config=ImageConfig(
                env={"PYTHONUNBUFFERED": "1"},
                history=(HistoryEntry(created_by="RUN /bin/sh -c git clone https://ci:8f14e45f@git.example.org/a"),),
            )
        ),
        _history("|1 TOKEN=8f14e45fceea167a /bin/sh -c make"),
        _history("RUN /bin/sh -c git clone https://ci:8f14e45f@git.example.org/a"),
        _history('RUN /bin/sh -c curl -H "Authorization: Bearer 8f14e45fceea167a" https://example.org'),
        BuiltImage(config=ImageConfig(labels={"note": "ghp_" + "a1B2c3D4e5F6" * 3})),
        BuiltImage(
            files=FileSystem(secrets=(SecretHit(where="app/key.pem", kind="private key", layer=1, deleted=True),))
        ),
    ],
    unclear=[BuiltImage(files=FileSystem(not_searched=("var/log/huge.log in layer 2",)))],
    one_finding_each=True,
)


def test(image: BuiltImage) -> Outcome:
    """Fail for each place that holds one; says where and which kind, never the value."""
    config = image.config
    found = [f"environment {name}: its name says secret, and it has a value" for name in secret_names(config.env)]
    found += [f"environment {name}: {kind}" for name, value in config.env.items() for kind in kinds_in_text(value)]
    told = [value for value in config.env.values() if any(kinds_in_text(value))]
    for number, entry in enumerate(config.history):
        values = {name: value for name, value in assignments(entry.created_by).items() if name not in config.env}
        found += [
            f"history entry {number}: a value for {name}, whose name says secret" for name in secret_names(values)
        ]
        found += [f"history entry {number}: {kind}" for kind in kinds_in_text(_less(entry.created_by, told))]
    found += [f"label {name}: its name says secret, and it has a value" for name in secret_names(config.labels)]
    found += [f"label {name}: {kind}" for name, value in config.labels.items() for kind in kinds_in_text(value)]
    found += [f"/{hit.where}: {hit.kind}, in layer {hit.layer}{_gone(hit)}" for hit in image.files.secrets]
    if not found and (left := image.files.not_searched):
        some = f"{', '.join(left[:3])}{f' and {len(left) - 3} more' if len(left) > 3 else ''}"
        return Skipped(reason=f"not searched for secrets, since they are too large or sparse: {some}")
    return failed_or_passed(found)


def _less(text: str, told: Iterable[str]) -> str:
    """Return an instruction without the values that the environment was blamed for already."""
    for value in told:
        text = text.replace(value, "")
    return text


def _gone(hit: SecretHit) -> str:
    return "; removed or replaced later, and still shipped" if hit.deleted else ""
