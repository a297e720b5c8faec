"""The table that pins recordings or speakers to splits: prepare.py writes one as splits.csv, and reads it again."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath

from u2u_hf.corpus.pairing import fold
from u2u_hf.formats.delimited import csv_rows
from u2u_hf.records import U2UError, Utterance, trimmed

SPLITS = ("train", "validation", "test")
Sides = Mapping[str, str]  # name → its split


def read_sides(path: Path, by: str) -> dict[str, str]:
    """Read a table that pins recordings (or speakers) to splits: the columns recording (or speaker) and split.

    Returns:
        folded name → split.

    Raises:
        U2UError: the file cannot be read, or a row is invalid.
    """
    if by == "utterance":
        raise U2UError("--splits: pins recordings or speakers; --split_by utterance divides them: give one of the two")
    pinned: dict[str, str] = {}
    for line, row in csv_rows(path, (by, "split")):
        name, side = row[by].strip(), row["split"].strip().lower()
        if not name or side not in SPLITS:
            raise U2UError(f"{path}: line {line}: needs a {by} and train, validation or test")
        if pinned.setdefault(fold(name), side) != side:
            raise U2UError(f"{path}: line {line}: {trimmed(name)} has two splits: keep one of the lines")
    return pinned


def sides_table(side_of: Sides, by: str) -> str:
    """Return the table that `read_sides` reads: a line for each group, in order of name."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow((by, "split"))
    writer.writerows(sorted(side_of.items()))
    return buffer.getvalue()


def pinned_groups(
    utterances: Iterable[Utterance], group_of: Callable[[Utterance], str], by: str, table: Sides
) -> dict[str, str]:
    """Return the split of each group that a table pins.

    Args:
        group_of: the name of an utterance's group.
        by: what the groups are: ``recording`` or ``speaker``.
        table: from `read_sides`.

    Raises:
        U2UError: a group is pinned to two splits.
    """
    if not table:
        return {}
    names: dict[str, set[str]] = defaultdict(set)
    for utterance in utterances:
        names[group_of(utterance)] |= spellings(utterance) if by == "recording" else {fold(utterance.speaker)}
    pinned: dict[str, str] = {}
    for group, called in names.items():
        # The group's own name before others, which several groups may have.
        own = table.get(fold(group))
        found = {own} if own else {table[name] for name in called if name in table}
        if len(found) > 1:
            raise U2UError(f"--splits: {group} has several names there, in different splits: keep one of the lines")
        pinned |= dict.fromkeys([group] if found else [], next(iter(found), ""))
    return pinned


def spellings(utterance: Utterance) -> set[str]:
    """Return the names, folded, that a table may have for an utterance's recording."""
    audio, recording = Path(utterance.audio), PurePosixPath(utterance.recording)
    return set(map(fold, (audio.name, audio.stem, utterance.recording, recording.name)))
