"""A setting of a recipe: a dataclass field with a line of help."""

from __future__ import annotations

import dataclasses
import enum
import os
from typing import Any


def setting(default: Any = dataclasses.MISSING, help: str = "", **metadata: Any) -> Any:
    """A dataclass field with a line of help; ``positional=True`` makes it an argument without a flag.

    Fields are keyword-only, so one without a default may follow others.
    """
    metadata = {"help": help, **metadata}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata, kw_only=True)
    return dataclasses.field(default=default, metadata=metadata, kw_only=True)


def changed(*filled: Any) -> dict[str, Any]:
    """The settings that differ from their defaults, fit for others to read: no token, nor where on whose computer.

    What a dataclass chose by itself, for this computer, is as it was given: the dataclass keeps that in ``given``.
    """
    values: dict[str, Any] = {}
    for item in filled:
        for field in dataclasses.fields(item):
            value = getattr(item, "given", {}).get(field.name, getattr(item, field.name, None))
            value = value.value if isinstance(value, enum.Enum) else value
            default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
            plain = isinstance(value, (str, int, float, list)) and not field.name.endswith("_token")
            if plain and field.init and value != default and not field.metadata.get("positional"):
                values[field.name] = _placeless(value)
    return values


def _placeless(value: Any) -> Any:
    """Of an absolute path the last part. Left out altogether, a default would silently take its place."""
    if isinstance(value, list):  # in which only files are paths: a tier may be called /fonemas/
        return [_placeless(v) if isinstance(v, str) and os.path.isfile(v) else v for v in value]
    return os.path.basename(os.path.normpath(value)) if isinstance(value, str) and os.path.isabs(value) else value
