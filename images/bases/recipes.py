"""The bases that can be made from packages, as `images/bases.toml` describes them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from harness.errors import UsageError
from harness.model import Model

FOLDER = Path(__file__).resolve().parent
"""Where the makers and their locks are."""
BASES_TOML = FOLDER.parent / "bases.toml"


class ImageConfig(Model):
    """What a made image says of itself, as a Dockerfile's instructions would."""

    env: dict[str, str] = Field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    user: str = ""
    workdir: str = ""


class RegistryWheelhouse(Model):
    """The wheelhouse that is laid over the public image, for the Python that it has."""

    lock: str
    python: str
    libc_minor: int


class BaseRecipe(Model):
    """One base: the public image, and how its like is made from packages."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    public: str
    maker: Literal["debian", "distroless", "alpine"]
    python: str = Field(pattern=r"^3\.\d+$")
    """Major and minor version of the made base's Python."""
    libc: Literal["glibc", "musl"]
    libc_minor: int
    suites: tuple[str, ...] = ()
    """Debian suites, the main one first."""
    packages: tuple[str, ...]
    wheels: str | None = None
    """Lock of the wheels that the maker takes the files from."""
    tools: str | None = None
    """Lock of what is installed beside the packages: pip."""
    wheelhouse: str | None = None
    """Lock of the wheels that lie in the image for an offline `pip install`."""
    registry_wheelhouse: RegistryWheelhouse | None = None
    max_age_days: float | None = None
    """Days after which it is made again; None: never."""
    epoch: datetime | None = None
    """The newest time stamp in the image."""
    differs: str
    config: ImageConfig

    @property
    def locks(self) -> tuple[Path, ...]:
        """The locks of everything that goes into the made base."""
        names = (self.wheels, self.tools, self.wheelhouse)
        return tuple(FOLDER / name for name in names if name is not None)


def parse_catalogue(text: str) -> dict[str, BaseRecipe]:
    """Read `bases.toml`: public image -> recipe.

    Raises:
        UsageError: it is not TOML, or a recipe has a field too many, too few or of the wrong kind.

    """
    try:
        tables = tomllib.loads(text)
        recipes = [BaseRecipe.model_validate({"name": name, **table}) for name, table in tables.items()]
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise UsageError(f"images/bases.toml cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"images/bases.toml: {where}: {first['msg']}") from error
    return {recipe.public: recipe for recipe in recipes}


def recipe_of(public: str, recipes: Mapping[str, BaseRecipe]) -> BaseRecipe | None:
    """Return how the like of a public image is made; one that is pinned by digest has the recipe of its name and tag.

    What is made cannot be the pinned image, but no made base is the public one either, and each says so.
    """
    return recipes.get(public) or recipes.get(public.partition("@")[0])


def catalogue(path: Path = BASES_TOML) -> dict[str, BaseRecipe]:
    """Return the bases that can be made: public image -> recipe.

    Raises:
        UsageError: the file cannot be read.

    """
    try:
        return parse_catalogue(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
