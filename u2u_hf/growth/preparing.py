"""What a round prepares: the corpus and the corrected transcripts, with the settings of the project."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from u2u_hf.corpus.preparation import Preparation, PreparationSettings, decide, inspect
from u2u_hf.corpus.split_table import read_sides, spellings
from u2u_hf.corpus.splits import SPLITS
from u2u_hf.data import audio
from u2u_hf.growth.held_out import pinned
from u2u_hf.project.folder import Project
from u2u_hf.records import U2UError


def preparation_settings(project: Project, also: Sequence[str | Path]) -> PreparationSettings:
    """Return the settings of the project's prepare.yaml.

    Args:
        also: see `PreparationSettings`.

    Raises:
        U2UError: a setting is unknown or invalid.
    """
    path, values = project.config("prepare"), project.settings("prepare")
    fields = {field.name: field for field in dataclasses.fields(PreparationSettings)}
    for name in values:
        if name not in fields:
            close = difflib.get_close_matches(name, fields, n=1)
            raise U2UError(f"{path}: unknown setting {name}{f': did you mean {close[0]}?' if close else ''}")
    values = {name: _coerced(value, fields[name]) for name, value in values.items()}
    own = {"corpus": str(project.corpus), "also": [*map(str, also)]}
    try:
        return PreparationSettings(**values | own)
    except (TypeError, ValueError) as error:
        raise U2UError(f"{path}: cannot be read ({' '.join(str(error).split())[:100]})") from error


def _coerced(value: Any, field: dataclasses.Field[Any]) -> Any:
    """Return a value as prepare.py's command line gives it: one name stands for a list of one."""
    if field.default_factory is not dataclasses.MISSING and not isinstance(value, list):
        return [value]
    if isinstance(field.default, float) and isinstance(value, (str, int)):
        return float(value)
    return value


def preparation_of(
    project: Project, also: Sequence[str | Path], earlier_sides: Path | None
) -> tuple[Preparation, PreparationSettings]:
    """Return what prepare.py will find, and the settings; nothing is written.

    Args:
        also: see `PreparationSettings`.
        earlier_sides: the table of splits of the last round, by which recordings keep theirs and new ones go to
            training; None to divide all by the settings.

    Raises:
        U2UError: nothing can be prepared.
    """
    settings = preparation_settings(project, also)
    if settings.split_by != "recording":  # drafts tell no speaker, and an utterance's time changes when it is corrected
        raise U2UError(
            f"{project.config('prepare')}: split_by {settings.split_by}: a project that grows holds out whole "
            "recordings, which are known again in each round: write recording"
        )
    if not earlier_sides:
        return decide(settings, audio), settings
    settings = pinned(settings, earlier_sides)
    preparation = inspect(settings, audio)
    if preparation.problem:
        _require_each_split(preparation, earlier_sides, project)
        raise preparation.problem
    return preparation, settings


def _require_each_split(preparation: Preparation, earlier_sides: Path, project: Project) -> None:
    """Raise U2UError if of one of the splits of the last round no recording is left."""
    known = read_sides(earlier_sides, "recording")
    here = set().union(*(spellings(utterance) for row in preparation.splits.values() for utterance in row))
    for split in SPLITS:
        names = [name for name, side in known.items() if side == split]
        if names and here.isdisjoint(names):
            more = f" and {len(names) - 3} more" if names[3:] else ""
            raise U2UError(
                f"{project.corpus}: of the {split} split no recording is left that can be used "
                f"({', '.join(names[:3])}{more}): bring one back, or repair its file"
            )
