"""A setting of a recipe: a dataclass field with help, and how durations and paths are written in one."""

from __future__ import annotations

import dataclasses
import enum
import os
import re
from collections.abc import Collection, Iterator
from typing import Any

from u2u_hf.records import U2UError

_UNIT_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


def setting(default: Any = dataclasses.MISSING, help: str = "", **metadata: Any) -> Any:
    """Return a keyword-only dataclass field that `u2u_hf.cli` makes a flag of.

    Args:
        default: without one, the flag is required.
        help: its line in ``--help``.
        metadata: ``positional=True`` for an argument without a flag; ``fixed=True`` for a field of a base class that
            users do not choose: no flag, always the default.
    """
    metadata = {"help": help, **metadata}
    if isinstance(default, list):
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata, kw_only=True)
    return dataclasses.field(default=default, metadata=metadata, kw_only=True)


def changed(*filled: Any) -> dict[str, Any]:
    """Return the settings that differ from their defaults, safe to publish: no tokens, no absolute paths.

    A dataclass may replace values by ones for this computer, in ``__post_init__``; its attribute ``given`` then has the
    values that the user gave, by name, and these are returned.
    """
    return {name: _without_folders(value) for item in filled for name, value in _differing(item)}


def as_flags(*filled: Any, but: Collection[str] = ()) -> list[str]:
    """Return the words of a command line that gives the settings which differ from their defaults, paths as they are.

    Args:
        but: names of settings to leave out.
    """
    words: list[str] = []
    for name, value in (pair for item in filled for pair in _differing(item)):
        if name in but:
            continue
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no_{name}")
        else:
            words += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return words


def _differing(item: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(item):
        value = getattr(item, "given", {}).get(field.name, getattr(item, field.name, None))
        value = value.value if isinstance(value, enum.Enum) else value
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        plain = isinstance(value, (str, int, float, list)) and not field.name.endswith("_token")
        if plain and field.init and value != default and not field.metadata.get("positional"):
            yield field.name, value


def _without_folders(value: Any) -> Any:
    """Return a value with absolute paths reduced to their last part.

    Without a value, a reader of the settings would take the default for it.
    """
    if isinstance(value, list):  # only what is there: a tier may be called /fonemas/
        return [_without_folders(v) if isinstance(v, str) and os.path.exists(v) else v for v in value]
    return os.path.basename(os.path.normpath(value)) if isinstance(value, str) and os.path.isabs(value) else value


def quoted(path: str | os.PathLike[str]) -> str:
    """Return a path as bash, cmd and PowerShell all read it on a command line.

    >>> quoted("my_model"), quoted("my model")
    ('my_model', '"my model"')
    """
    path = str(path)
    return path if re.fullmatch(r"[\w./\\:~-]+", path) else f'"{path}"'


def seconds_of(duration: str) -> float:
    """Return the seconds of a duration such as ``2h30m`` (9000); units d, h, m, s.

    Raises:
        U2UError: the duration is invalid or 0.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([dhms])", duration)
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    if not seconds or re.sub(r"(\d+(?:\.\d+)?)\s*([dhms])\s*", "", duration).strip():
        raise U2UError(f"--time_budget {duration}: write it as 2h30m, 45m or 90s")
    return seconds


def duration(seconds: int) -> str:
    """Return whole seconds as `seconds_of` reads them.

    >>> duration(9000), duration(600), duration(61)
    ('2h30m', '10m', '1m1s')
    """
    parts = []
    for unit, length in _UNIT_SECONDS.items():
        number, seconds = divmod(seconds, length)
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts)
