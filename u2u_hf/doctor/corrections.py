"""What a person accepted goes into copies of the ELAN files; their own files stay as they are."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from u2u_hf import written_files
from u2u_hf.formats.eaf_corrections import Correction, correct
from u2u_hf.records import U2UError
from u2u_hf.reports.quantities import elan_time

FOLDER = "corrected"


@dataclass(frozen=True)
class Corrected:
    """A file: how many corrections its copy has, and those that were not made, each with the reason.

    Attributes:
        problem: why there is no copy, or the empty string.
    """

    file: str
    made: int
    refused: tuple[str, ...] = ()
    problem: str = ""


def read_accepted(path: Path) -> dict[str, str | None]:
    """Return the names of the accepted findings, each with the text that the person typed, or None.

    Raises:
        U2UError: the file cannot be read, or is not what the page saves.
    """
    try:
        accepted = json.loads(path.read_text(encoding="utf-8-sig"))["accepted"]
        return {str(one["name"]): None if one.get("text") is None else str(one["text"]) for one in accepted}
    except OSError as error:
        raise U2UError(f"--apply {path}: cannot be read ({error.strerror}): give what doctor.html saved") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise U2UError(f"--apply {path}: is not what doctor.html saves: open the page, and save it again") from error


def apply(
    rows: Sequence[Mapping[str, Any]], accepted: Mapping[str, str | None], corpus: Path, output_dir: Path
) -> list[Corrected]:
    """Write OUTPUT_DIR/corrected/… for each ELAN file with accepted findings; one that was edited since is kept.

    Args:
        rows: of doctor.json.
        accepted: from `read_accepted`.

    Raises:
        U2UError: an accepted finding is not in doctor.json.
    """
    by_name = {row["name"]: row for row in rows}
    if unknown := [name for name in accepted if name not in by_name]:
        raise U2UError(f"--apply: finding {unknown[0]} is not in doctor.json: save the page of this --output_dir")
    of_file: dict[str, list[Correction]] = defaultdict(list)
    for row in rows:  # in their order, so that the same files come out whatever the order of the clicks
        if row["name"] in accepted:
            of_file[row["file"]].append(_correction(row, accepted[row["name"]]))
    return [_corrected(file, of_file[file], corpus, output_dir) for file in sorted(of_file)]


def _correction(row: Mapping[str, Any], text: str | None) -> Correction:
    edit = dict(row["edit"] or {})
    for name in ("text", "add"):
        if name in edit and text is not None:
            edit[name] = text
    return Correction(row["tier"], row["start_ms"], row["end_ms"], row["text"], edit)


def _corrected(file: str, corrections: Sequence[Correction], corpus: Path, output_dir: Path) -> Corrected:
    source, target = corpus / file, output_dir / FOLDER / file
    if source.suffix.lower() != ".eaf":
        return Corrected(file, 0, problem="is not an ELAN file: correct it in its own program")
    new = written_files.unfinished(target)
    try:
        refused = correct(source, new, corrections)
        written_files.put(new, output_dir, target)
    except U2UError as error:
        return Corrected(file, 0, problem=str(error).removeprefix(f"{source}: "))
    finally:
        new.unlink(missing_ok=True)
    reasons = tuple(f"tier {c.tier}, {elan_time(c.start_ms)}: {reason}" for c, reason in refused)
    return Corrected(file, len(corrections) - len(refused), reasons)
