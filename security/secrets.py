"""Which texts are secret: the shapes of known credentials, and values under names that say so; never gives one away.

A rule of its own for each shape, since detect-secrets takes the header of a private key for the key (every TLS library
holds it) and does not know the newer tokens of GitHub, Google, npm and Hugging Face.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HIDDEN = "***"
MIN_VALUE_CHARS = 4
NOT_SEARCHED = (b"\x7fELF", b"\x1f\x8b", b"\xfd7zXZ", b"BZh", b"\x89PNG", b"MZ", b"PK\x03\x04")
"""How files of machine code and packed data begin."""

SYSTEM = ("usr/", "lib/", "lib64/", "bin/", "sbin/", "var/lib/", "var/cache/", "nix/")
LIBRARIES = ("site-packages", "dist-packages", "node_modules")
"""Where an image's files are other people's."""


@dataclass(frozen=True)
class Rule:
    """One shape of credential; a text without any of the anchors is not searched further."""

    kind: str
    anchors: tuple[bytes, ...]
    shape: re.Pattern[bytes]


def _rule(kind: str, anchors: str, shape: bytes) -> Rule:
    return Rule(kind, tuple(anchor.encode() for anchor in anchors.split("|")), re.compile(shape))


RULES = (
    _rule(
        "private key",
        "PRIVATE KEY",
        rb"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n|\\r)+"
        rb"(?:[A-Za-z-]{3,20}: [^\n]{1,200}\n)*\s*[A-Za-z0-9+/]{40,}",
    ),
    _rule("AWS access key", "AKIA|ASIA", rb"(?<![A-Za-z0-9/+])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9/+])"),
    _rule(
        "AWS secret key",
        "aws|AWS",
        rb"(?i:aws.{0,20}secret.{0,20}?['\"= :]{1,5})[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
    ),
    _rule("GitHub token", "ghp_|gho_|ghu_|ghs_|ghr_", rb"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    _rule("GitHub token", "github_pat_", rb"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b"),
    _rule("GitLab token", "glpat-", rb"\bglpat-[\w-]{20,}"),
    _rule("Slack token", "xox", rb"\bxox[abposr]-\d{8,}-[\w-]{20,}"),
    _rule("Slack webhook", "hooks.slack.com", rb"hooks\.slack\.com/services/T\w{8,}/B\w{8,}/\w{20,}"),
    _rule("Stripe key", "k_live_", rb"\b[sr]k_live_[0-9a-zA-Z]{24,}"),
    _rule("SendGrid key", "SG.", rb"\bSG\.[\w-]{22}\.[\w-]{43}\b"),
    _rule("Google API key", "AIza", rb"\bAIza[\w-]{35}(?![\w-])"),
    _rule("npm token", "npm_", rb"\bnpm_[A-Za-z0-9]{36}\b"),
    _rule("npm token", "_authToken", rb"_authToken\s*=\s*[\w-]{20,}"),
    _rule("PyPI token", "pypi-AgEI", rb"\bpypi-AgEI[\w-]{50,}"),
    _rule("OpenAI key", "T3BlbkFJ", rb"\bsk-[\w-]*T3BlbkFJ[\w-]{20,}"),
    _rule("Anthropic key", "sk-ant-", rb"\bsk-ant-[a-z]{3}\d\d-[\w-]{80,}"),
    _rule("Hugging Face token", "hf_", rb"\bhf_[A-Za-z]{34}\b"),
    _rule("DigitalOcean token", "dop_v1_", rb"\bdop_v1_[0-9a-f]{64}\b"),
    _rule("Vault token", "hvs.", rb"\bhvs\.[\w-]{90,}"),
    _rule("Azure storage key", "AccountKey=", rb"AccountKey=[A-Za-z0-9+/]{86}=="),
    _rule("JSON web token", "eyJ", rb"\beyJ[\w-]{16,}\.eyJ[\w-]{16,}\.[\w-]{32,}"),
    _rule("password in .netrc form", "machine ", rb"(?m)^\s*machine\s+\S+\s+login\s+\S+\s+password\s+\S{4,}"),
)

_URL_PASSWORD = re.compile(r"([a-z][a-z0-9+.-]{2,20}://[^\s:/@'\"<>{}$%]{1,64}:)([^\s/@'\"<>{}$%]{3,128})(@[\w.-]+)")
_HEADER = re.compile(r"(?i)(authorization:\s*(?:bearer|basic|token)\s+)([\w.=+/-]{8,})")
_OPTION = re.compile(r"(?i)(--?(?:password|passwd|token|secret|api-?key)(?:\s+|=))([^\s$'\"-][^\s$'\"]{3,})")
_NAME = re.compile(
    r"(?i)(?:passw(?:or)?d|passphrase|secret|token|api_?key|access_?key|private_?key|credentials?)(?![a-z])"
)
_NOT_VALUES = re.compile(
    r"(?i)^(?:|true|false|yes|no|on|off|none|null|[\d.]+|\*+|<.*>|\$.*|/.*|\./.*|[a-z][a-z0-9+.-]*://[^@]*)$"
)
_ASSIGNMENT = re.compile(r"\b([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|[^\s;&|]+)")
_ENV_FILE = re.compile(r"(?:^|/)[^/]*\.env(?:\.[^/]*)?$")
_EXAMPLE = re.compile(rb"(?i)example(?!\.(?:com|net|org))|placeholder|dummy|changeme|x{6}|\.\.\.|0{10}|1234567890")


def kinds_in(path: str, data: bytes) -> Iterator[str]:
    """Yield the kinds of credentials that a file's content holds; what calls itself an example is none.

    Machine code and packed data are not searched: most of an image's bytes, and none of its configuration. Passwords in
    URLs and headers are looked for in the app's own files alone: systems and packages are full of them, as examples.
    """
    if data.startswith(NOT_SEARCHED):
        return
    yield from _shapes_in(data)
    if _of_a_package(path) or b"\0" in data:
        return
    text = data.decode("utf-8", "replace")
    shapes = [("://", _URL_PASSWORD, "password in a URL"), (":", _HEADER, "credential in a request header")]
    for anchor, pattern, kind in shapes:
        if anchor in text and any(not _EXAMPLE.search(match[0].encode()) for match in pattern.finditer(text)):
            yield kind
    if _ENV_FILE.search(path):
        yield from (f"a value for {name}, whose name says secret" for name in secret_names(assignments(text)))


def kinds_in_text(text: str) -> Iterator[str]:
    """Yield the kinds of credentials in a short text of the configuration, such as an instruction of the history."""
    yield from _shapes_in(text.encode("utf-8", "replace"))
    if _URL_PASSWORD.search(text):
        yield "password in a URL"
    if _HEADER.search(text):
        yield "credential in a request header"
    if _OPTION.search(text):
        yield "password as an option"


def secret_names(values: Mapping[str, str]) -> Iterator[str]:
    """Yield the names that say that their value is secret, where the value can be one.

    Paths, addresses without a password, numbers, switches and references to other variables can not.
    """
    for name, value in values.items():
        bare = value.strip("\"'")
        if _NAME.search(name) and len(bare) >= MIN_VALUE_CHARS and not _NOT_VALUES.match(bare):
            yield name


def assignments(text: str) -> dict[str, str]:
    """Return the NAME=value words of an instruction or command."""
    return {match[1]: match[2] for match in _ASSIGNMENT.finditer(text)}


def redacted(text: str) -> str:
    """Return a text with everything in it that looks like a credential hidden."""
    for pattern in (_URL_PASSWORD, _HEADER, _OPTION):
        text = pattern.sub(lambda match: match[1] + HIDDEN + (match[3] if match.re.groups > 2 else ""), text)
    data = text.encode("utf-8", "surrogateescape")
    for rule in RULES:
        if any(anchor in data for anchor in rule.anchors):
            data = rule.shape.sub(HIDDEN.encode(), data)
    text = data.decode("utf-8", "surrogateescape")
    for name in secret_names(assignments(text)):
        text = re.sub(rf"\b{re.escape(name)}=(\"[^\"]*\"|'[^']*'|[^\s;&|]+)", f"{name}={HIDDEN}", text)
    return text


def _shapes_in(data: bytes) -> Iterator[str]:
    for rule in RULES:
        if any(anchor in data for anchor in rule.anchors) and _real(rule, data):
            yield rule.kind


def _of_a_package(path: str) -> bool:
    return path.startswith(SYSTEM) or any(f"/{folder}/" in path for folder in LIBRARIES)


def _real(rule: Rule, data: bytes) -> bool:
    return any(not _EXAMPLE.search(match[0]) and len(set(match[0])) > 8 for match in rule.shape.finditer(data))
