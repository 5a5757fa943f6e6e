"""The base of all types that cross a folder's boundary: frozen, strict, with "not measured" as a value."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1


class Model(BaseModel):
    """The base of all types here: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NotMeasured(Model):
    """A value of its own: why there is no number. Never zero, never a pass."""

    not_measured: str
