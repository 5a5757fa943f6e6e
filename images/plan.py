"""What is to be built: a variant with its bases and its build context, and the hash of all that goes in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.model import BaseImage, Variant
from images.context import stage, tree_hash
from images.variants import dockerfile_path, is_argument

RECORD_FORMAT = 2
"""Raise it when a record of a build means something else than before."""
KEY_CHARACTERS = 12
REPOSITORY = "seatrial"


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """One variant's build, all its inputs known."""

    variant: Variant
    bases: dict[str, BaseImage]
    """As in `Variant.public_bases`: ARG name -> base; the last one is the final stage's."""
    context: Path
    inputs: str
    """SHA-256 over all that goes into the image."""

    @property
    def repository(self) -> str:
        """The name of the variant's images, without a tag."""
        return f"{REPOSITORY}/{self.variant.name}"

    @property
    def key(self) -> str:
        """The tag of exactly this image."""
        return self.inputs[:KEY_CHARACTERS]

    @property
    def tag(self) -> str:
        """The reference of exactly this image."""
        return f"{self.repository}:{self.key}"

    @property
    def base(self) -> BaseImage:
        """The final stage's base."""
        return list(self.bases.values())[-1]

    @property
    def build_args(self) -> dict[str, str]:
        """ARG name -> the reference of the base that takes the default's place."""
        return {name: base.reference for name, base in self.bases.items() if is_argument(name)}

    def shares_a_base(self, other: Plan) -> bool:
        """Say whether two builds begin a stage from the same image, so that steps of theirs may be the same."""
        return not {base.reference for base in self.bases.values()}.isdisjoint(
            base.reference for base in other.bases.values()
        )


def plan_for(
    variant: Variant,
    *,
    bases: Mapping[str, BaseImage],
    outright: Mapping[str, BaseImage],
    wheels: Callable[[Variant], Sequence[Path]],
    app: Path,
    into: Path,
    builder: str,
) -> Plan:
    """Stage a variant's build context in the folder `into`, and hash all that goes into its image.

    Args:
        variant: what is built.
        bases: public image -> the base that an ARG is given.
        outright: public image -> the base, for those that a Dockerfile names without an ARG.
        wheels: variant -> the wheels of its lock; asked for variants without a context folder of their own.
        app: folder of the app that goes into the image.
        into: is made.
        builder: `buildkit` or `classic`.

    """
    needed = {name: (bases if is_argument(name) else outright)[public] for name, public in variant.public_bases.items()}
    own = variant.context_dir is not None
    context = stage(variant, into, wheels=() if own else wheels(variant), app=app)
    what = {
        "format": RECORD_FORMAT,
        "dockerfile": hashlib.sha256(dockerfile_path(variant).read_bytes()).hexdigest(),
        "context": tree_hash(context),
        "bases": {name: [base.reference, base.digest] for name, base in needed.items()},
        "builder": builder,
        "variant": variant.name,
    }
    inputs = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    return Plan(variant=variant, bases=needed, context=context, inputs=inputs)
