"""Which recordings are held out: for ever the same, so that error rates of all rounds can be compared.

What was once in validation or test never comes into training, and what was trained on never into them. What is new in
a later round goes to training.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from u2u_hf.corpus.pairing import fold
from u2u_hf.corpus.preparation import Preparation, PreparationSettings
from u2u_hf.corpus.split_table import read_sides, sides_table
from u2u_hf.corpus.splits import members
from u2u_hf.files import write_text

_READ = 1 << 18  # bytes at both ends of a recording, by which it is known again under another name


def pinned(settings: PreparationSettings, table: Path) -> PreparationSettings:
    """Return settings under which the recordings of a table keep their split, and all others go to training.

    Raises:
        U2UError: the settings divide utterances, which nothing can pin.
    """
    return dataclasses.replace(settings, splits=str(table), validation_hours=0.0, test_hours=0.0)


def sides_of(
    preparation: Preparation, settings: PreparationSettings, earlier: Path | None, sounds: Mapping[str, list[str]]
) -> tuple[dict[str, str], dict[str, list[str]], list[str]]:
    """Return the split of each recording, or speaker, for this round and all later ones.

    Args:
        preparation: with `pinned` settings, if there is an earlier table.
        earlier: the table of the last round.
        sounds: name → marks of its audio files, of earlier rounds.

    Returns:
        the table, with names of earlier rounds that are not there any more; the marks; and sentences on recordings
        that have another name now.
    """
    table, lines = dict(preparation.sides), []
    utterances = [u for row in preparation.splits.values() for u in row]
    marks = {name: sorted(map(_mark, audio)) for name, audio in members(utterances, settings.splitting).items()}
    known = read_sides(earlier, settings.split_by) if earlier else {}
    if settings.split_by == "recording":
        names = {mark: name for name, row in sounds.items() for mark in row}
        for name, row in marks.items():
            before = next((names[mark] for mark in row if mark in names), name)
            side = known.get(fold(before), "")
            if fold(name) not in known and side:
                table[name] = side
                lines.append(f"{name} is {before} under another name, and stays in {side}")
    here = set(map(fold, table))
    gone = {name: side for name, side in known.items() if name not in here}
    return gone | table, dict(sounds) | marks, lines


def save_sides(path: Path, sides: Mapping[str, str], by: str) -> None:
    """Write the table that `prepare.py --splits` reads."""
    write_text(path, sides_table(sides, by))


def _mark(audio: str) -> str:
    """Return a digest of a recording's length and of its beginning and end: its name and place do not matter."""
    size = os.path.getsize(audio)
    found = hashlib.sha256(str(size).encode())
    with open(audio, "rb") as file:
        found.update(file.read(_READ))
        file.seek(max(0, size - _READ))
        found.update(file.read(_READ))
    return found.hexdigest()
