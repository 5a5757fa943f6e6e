"""What Python an image has, in words: a comparison of bases is one of these too."""

from __future__ import annotations

from harness.model import Image, NotMeasured


def described(image: Image) -> str:
    """Return implementation, version, libc, compiler and build flags of an image's interpreter."""
    python = image.interpreter
    if isinstance(python, NotMeasured):
        return f"not known: {python.not_measured}"
    built = [word for word, there in (("PGO", python.pgo), ("LTO", python.lto)) if there]
    flags = f"with {' and '.join(built)}" if built else "without PGO or LTO"
    return f"{python.implementation} {python.version}, {python.libc}, {python.compiler}, {flags}"


def base_of(image: Image) -> str:
    """Return an image's base and where it came from."""
    return f"{image.base.public}, from {'a registry' if image.base.source == 'registry' else 'packages'}"
