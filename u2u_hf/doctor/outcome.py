"""What an examination found, as plain values: doctor.json, in the times of the annotation files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from u2u_hf.corpus.channels import VIDEO_FRAME_MS
from u2u_hf.corpus.reader import Recording
from u2u_hf.doctor.annotations import Corpus
from u2u_hf.doctor.findings import Finding
from u2u_hf.records import U2UError

_DIGITS = 2


def as_rows(found: Sequence[Finding], corpus: Corpus, folder: Path) -> list[dict[str, Any]]:
    """Return the rows of doctor.json, in order of the findings.

    Args:
        folder: of the corpus; the annotation files' paths are relative to it.
    """
    return [_row(one, corpus, folder) for one in found]


def _row(one: Finding, corpus: Corpus, folder: Path) -> dict[str, Any]:
    recording = corpus.recordings[one.recording]
    origin_ms = corpus.origin_ms(one.recording, one.tier) if one.tier else recording.origin_ms
    edit = dict(one.edit) if one.edit else None
    for name in ("start_ms", "end_ms"):
        if edit and name in edit:
            edit[name] -= origin_ms
    start_ms, end_ms = _times_in_file(recording, one.tier, one.text, one.start_ms - origin_ms, one.end_ms - origin_ms)
    row = {
        "recording": one.recording,
        "tier": one.tier,
        "start_ms": start_ms,
        "end_ms": end_ms,
        "of_audio_ms": [one.start_ms, one.end_ms],
        "kind": one.kind,
        "score": one.score,
        "suggestion": one.suggestion,
        "name": one.name,
        "file": Path(os.path.relpath(recording.document.path, folder)).as_posix(),
        "text": one.text,
        "heard": one.heard,
        "edit": edit,
        "minutes": round(one.minutes, _DIGITS),
        "letters_per_minute": round(one.worth, _DIGITS),
        "annotations": one.places,
    }
    return row | ({"tiers": [list(tier) for tier in one.tiers]} if one.tiers else {})


def _times_in_file(recording: Recording, tier: str, text: str, start_ms: int, end_ms: int) -> tuple[int, int]:
    """Return the times of an annotation as its file has them: what ends after its sound was cut a little."""
    own = (a for t in recording.document.tiers if t.name == tier for a in t.annotations if a.value == text)
    near = (
        (a.start_ms, a.end_ms) for a in own if max(abs(a.start_ms - start_ms), abs(a.end_ms - end_ms)) <= VIDEO_FRAME_MS
    )
    return next(near, (start_ms, end_ms))


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a doctor.json.

    Raises:
        U2UError: there is none, or it is damaged.
    """
    if not path.is_file():
        raise U2UError(f"{path}: is not there: run doctor.py with --model first, and accept faults in doctor.html")
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        needed = ("name", "file", "recording", "tier", "start_ms", "end_ms", "of_audio_ms", "text", "kind", "edit")
        if not all(name in row for row in rows for name in needed):
            raise ValueError("a value is missing")
    except (OSError, ValueError, TypeError) as error:
        raise U2UError(f"{path}: is damaged: run doctor.py with --model again") from error
    return rows
