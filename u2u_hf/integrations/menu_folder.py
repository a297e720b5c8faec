"""A folder of ours among the extensions of another program: noted as ours, and removed without others' files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from u2u_hf.files import write_text
from u2u_hf.records import U2UError

MARKER = "u2u-hf.json"
_MADE_BY = "u2u-hf"


def note(folder: Path, values: dict[str, str]) -> None:
    """Write the marker of a folder; do so first, so that what a failure leaves is known for ours.

    Raises:
        U2UError: it cannot be written.
    """
    marker = {"made_by": _MADE_BY, **values}
    write_text(folder / MARKER, json.dumps(marker, ensure_ascii=False, indent=1) + "\n")


def noted(folder: Path) -> dict[str, str] | None:
    """Return what `note` wrote into a folder; None if the folder is not ours, or a link."""
    try:
        found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        # The marker of a plug-in for Praat did not name its maker at first.
        if found.pop("made_by", _MADE_BY) != _MADE_BY or folder.is_symlink():
            return None
        return {name: str(value) for name, value in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def free_name(name: str, taken: Collection[str], before_number: str = " ") -> str:
    """Return the name, with a number if it is taken; names that differ in capitals alone are the same.

    >>> free_name("maize", {"Maize", "maize 2"})
    'maize 3'
    """
    there = {other.lower() for other in taken}
    names = (name, *(f"{name}{before_number}{number}" for number in range(2, 1000)))
    return next(free for free in names if free.lower() not in there)


def remove(folder: Path, own: Sequence[str], advice: str = "") -> list[str]:
    """Remove our files and folders in a folder, and it if it is empty then; return the names of others, which stay.

    Args:
        own: their names, in this order; the marker is removed last: what a failure leaves is still known for ours.
        advice: what to do where a file cannot be removed, or empty.

    Raises:
        U2UError: a file cannot be removed.
    """
    try:
        for path in (folder / name for name in (*own, MARKER)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        others = sorted(path.name for path in folder.iterdir())
        if not others:
            folder.rmdir()
        return others
    except OSError as error:
        more = f": {advice}" if advice else ""
        raise U2UError(f"{error.filename}: cannot be removed ({error.strerror}){more}") from error
