"""Base images: the public ones pulled, or the like of them made from packages where no registry can be reached."""

from __future__ import annotations

from images.bases.lookup import Heard, Mode, resolve, resolve_all
from images.bases.recipes import BaseRecipe, catalogue, recipe_of

__all__ = ["BaseRecipe", "Heard", "Mode", "catalogue", "recipe_of", "resolve", "resolve_all"]
