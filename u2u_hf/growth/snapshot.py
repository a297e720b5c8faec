"""The annotations of many files as they are at one moment, kept so that a later round can see what changed."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from u2u_hf.files import write_text
from u2u_hf.growth.edits import TierEdits, compare, in_words
from u2u_hf.records import MACHINE_TYPES, Annotation, Tier, U2UError

Snapshot = Mapping[str, tuple[Tier, ...]]  # name of a file or recording → its tiers


def by_people(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    """Return the tiers that do not have a type of the recogniser's."""
    return tuple(tier for tier in tiers if tier.linguistic_type not in MACHINE_TYPES)


def save(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot, whole or not at all.

    Raises:
        U2UError: it cannot be written.
    """
    values = {name: [_values(tier) for tier in tiers] for name, tiers in snapshot.items()}
    # Lone surrogates, from file names that are not UTF-8, can be stored as escapes only.
    write_text(path, json.dumps(values, ensure_ascii=True) + "\n")


def load(path: Path) -> dict[str, tuple[Tier, ...]]:
    """Read a snapshot; return an empty one if there is no file.

    Raises:
        U2UError: the file is damaged.
    """
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return {name: tuple(map(_tier, tiers)) for name, tiers in values.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise U2UError(f"{path}: is damaged: remove it; changes since then are then not told") from error


def _values(tier: Tier) -> dict[str, Any]:
    own = {f.name: getattr(tier, f.name) for f in dataclasses.fields(tier) if f.name != "annotations"}
    return own | {"annotations": [[a.start_ms, a.end_ms, a.value] for a in tier.annotations]}


def _tier(values: Mapping[str, Any]) -> Tier:
    own = {name: value for name, value in values.items() if name != "annotations"}
    return Tier(**own, annotations=tuple(Annotation(*annotation) for annotation in values["annotations"]))


def differences(before: Snapshot, now: Snapshot) -> list[str]:
    """Return a sentence for each file that is new, gone or changed."""
    lines = [
        f"{name}: {_what(before[name], now[name])}" for name in now if name in before and before[name] != now[name]
    ]
    lines += [f"{name}: is new, {_count(now[name])}" for name in now if name not in before]
    return lines + [
        f"{name}: is not there any more; until now it had {_count(before[name])}" for name in before if name not in now
    ]


def _what(before: Iterable[Tier], now: Iterable[Tier]) -> str:
    edits = compare(tuple(before), tuple(now))
    return "; ".join(sentences(edits)) or "other properties of its tiers changed"


def sentences(edits: Iterable[TierEdits]) -> list[str]:
    """Return what happened to the tiers of a file, from `edits.compare`; tiers that stayed the same are left out."""
    found, counts = [], Counter[str]()
    for edit in edits:
        if edit.before and edit.after:
            if edit.is_renamed:
                found.append(f"tier {edit.before.name} is now called {edit.after.name}")
            if edit.before.linguistic_type != edit.after.linguistic_type:
                found.append(f"tier {edit.name} has the type {edit.after.linguistic_type}")
            counts += edit.count()
        elif edit.after:
            found.append(f"tier {edit.name} is new, with {len(edit.after.annotations)} annotations")
        elif edit.before:
            found.append(f"tier {edit.name} is not there any more ({len(edit.before.annotations)} annotations)")
    return [*found, *filter(None, [in_words(counts)])]


def _count(tiers: Iterable[Tier]) -> str:
    count = sum(bool(a.value.strip()) for tier in tiers for a in tier.annotations)
    return f"{count} annotation{'' if count == 1 else 's'} with text"
