"""What to correct first: the segments of many transcripts, those where correcting is worth most at the top."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

from u2u_hf.records import U2UError

_HEADER = ("recording", "start", "end", "channel", "tier", "confidence", "doubtful_per_minute", "minutes", "text")


def queue(transcripts: Iterable[str | Path], by_confidence: bool = False) -> str:
    """A table (TSV) of all segments with text.

    Doubtful characters per minute are what a person finds to correct for the time spent listening: the segment's
    characters, times what its confidence lacks to 1, over its length. The column ``minutes`` counts the audio up
    to and with each row: who has an hour to listen goes on to 60.

    Args:
        transcripts: JSON files, as `u2u_hf.formats.subtitles.as_json` writes them.
        by_confidence: order by confidence alone (of aligned transcripts, their fit), lowest first.

    Raises:
        U2UError: one is something else.
    """
    rows = []
    for path in transcripts:
        try:
            transcript = json.loads(Path(path).read_text(encoding="utf-8"))
            segments = transcript["segments"]
        except (ValueError, KeyError, TypeError) as error:
            raise U2UError(f"{path}: is no transcript: take it out of that folder, and run this again") from error
        for segment in segments:
            characters = len("".join(segment["text"].split()))
            minutes = (segment["end_ms"] - segment["start_ms"]) / 60_000
            if characters:
                doubtful = characters * (1 - segment["confidence"]) / minutes
                rows.append(
                    (segment["confidence"] if by_confidence else -doubtful, doubtful, minutes, transcript, segment)
                )
    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect="excel-tab", lineterminator="\n")
    writer.writerow(_HEADER)
    heard = 0.0
    for _, doubtful, minutes, transcript, segment in sorted(rows, key=lambda row: row[0]):
        heard += minutes
        times = (f"{segment[key] / 1000:.3f}" for key in ("start_ms", "end_ms"))
        scores = (f"{segment['confidence']:.3f}", f"{doubtful:.1f}", f"{heard:.2f}")
        text = " ".join(segment["text"].split())
        writer.writerow((transcript["audio"], *times, segment["channel"] + 1, segment["tier"], *scores, text))
    return buffer.getvalue()
