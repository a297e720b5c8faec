"""queue.tsv: the segments of many transcripts, ordered by how much a correction is worth."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from u2u_hf.records import U2UError

_HEADER = ("recording", "start", "end", "channel", "tier", "confidence", "doubtful_per_minute", "minutes", "text")


@dataclass(frozen=True)
class _Row:
    """A segment with text; `doubtful` in characters per minute."""

    audio: str
    segment: dict[str, Any]
    minutes: float
    doubtful: float


def correction_queue(transcripts: Iterable[str | Path], by_confidence: bool = False) -> str:
    """Return a table (TSV) of all segments with text, those to correct first at the top.

    Doubtful characters per minute estimate what a person finds to correct for the time spent listening: the segment's
    characters times (1 − confidence), divided by its length. The column ``minutes`` sums the audio up to and with each
    row: a person with an hour to listen stops at 60.

    Args:
        transcripts: JSON files, as `u2u_hf.formats.subtitles.as_json` writes them.
        by_confidence: order by confidence alone, lowest first; in aligned transcripts it is the fit.

    Raises:
        U2UError: a file is not a transcript.
    """
    rows = [row for path in transcripts for row in _rows(path)]
    rows.sort(key=lambda row: row.segment["confidence"] if by_confidence else -row.doubtful)
    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect="excel-tab", lineterminator="\n")
    writer.writerow(_HEADER)
    minutes = 0.0
    for row in rows:
        minutes += row.minutes
        segment = row.segment
        times = (f"{segment[key] / 1000:.3f}" for key in ("start_ms", "end_ms"))
        scores = (f"{segment['confidence']:.3f}", f"{row.doubtful:.1f}", f"{minutes:.2f}")
        text = " ".join(segment["text"].split())
        writer.writerow((row.audio, *times, segment["channel"] + 1, segment["tier"], *scores, text))
    return buffer.getvalue()


def _rows(path: str | Path) -> Iterable[_Row]:
    try:
        transcript = json.loads(Path(path).read_text(encoding="utf-8"))
        segments = transcript["segments"]
    except (ValueError, KeyError, TypeError) as error:
        raise U2UError(f"{path}: is not a transcript: take it out of that folder, and run this again") from error
    for segment in segments:
        characters = len("".join(segment["text"].split()))
        minutes = (segment["end_ms"] - segment["start_ms"]) / 60_000
        if characters:
            yield _Row(transcript["audio"], segment, minutes, characters * (1 - segment["confidence"]) / minutes)
