"""A transcript as a table that a person corrects, and the files that are made of what it says then."""

from __future__ import annotations

import dataclasses
import itertools
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from u2u_hf.files import replacing
from u2u_hf.formats import writers
from u2u_hf.records import Segment, Transcript, U2UError

FORMATS = ("eaf", "textgrid", "srt", "tsv")
COLUMNS = ("start", "end", "channel", "text", "confidence")
_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d{1,3}):)?(\d+(?:\.\d*)?)")

Row = Sequence[object]


def rows(transcript: Transcript, unsure_below: float = writers.UNSURE_BELOW) -> list[list[str]]:
    """The segments in order of time: start and end as ``1:02.345``, channel from 1, text, confidence.

    The confidence of what a person should look at begins with ``⚠``.
    """
    ordered = sorted(transcript.segments, key=lambda s: (s.start_ms, s.channel))
    return [
        [
            clock(s.start_ms),
            clock(s.end_ms),
            str(s.channel + 1),
            s.text,
            f"{'⚠ ' if s.confidence < unsure_below else ''}{s.confidence:.0%}",
        ]
        for s in ordered
    ]


def corrected(transcript: Transcript, table: Sequence[Row]) -> Transcript:
    """The transcript as a person left its table: rows may be changed, added, taken out, and in any order.

    A row that is as it was keeps its words and its confidence; another one is sure, and has no words' times. Empty
    rows are left out.

    Raises:
        U2UError: a time or channel that is none, or is not in the recording, or rows of a channel that overlap.
    """
    known = {(s.channel, s.start_ms, s.end_ms, s.text): s for s in transcript.segments}
    found = []
    for number, row in enumerate(table, 1):
        start, end, channel, text = (str(cell if cell is not None else "").strip() for cell in row[:4])
        if not (start or end or text):
            continue
        span = tuple(_milliseconds(cell, f"row {number}", transcript.duration_ms) for cell in (start, end))
        if not channel.isdecimal() or not 1 <= int(channel) <= transcript.channels:
            raise U2UError(f"row {number}, {start}: channel {channel!r}: give a number from 1 to {transcript.channels}")
        if span[0] >= span[1]:
            raise U2UError(f"row {number}: ends at {end}, before it begins at {start}")
        key = (int(channel) - 1, *span, " ".join(text.split()))
        found.append(known.get(key) or Segment(*key, confidence=1.0))
    found.sort(key=lambda s: (s.channel, s.start_ms))
    for a, b in itertools.pairwise(found):
        if a.channel == b.channel and b.start_ms < a.end_ms:
            where = f"channel {b.channel + 1}, {clock(b.start_ms)}"
            raise U2UError(f"{where}: begins before the row above it ends ({clock(a.end_ms)}), which ELAN cannot hold")
    return dataclasses.replace(transcript, segments=tuple(found))


def write_files(transcript: Transcript, folder: Path) -> list[Path]:
    """Write the transcript in `FORMATS`, and all of them in a .zip, under the name of the recording.

    They link to the recording as one that lies beside them.

    Raises:
        U2UError: a file cannot be written.
    """
    audio = folder / Path(transcript.audio).name
    files = writers.planned(audio.with_suffix(""), FORMATS)
    writers.write(dataclasses.replace(transcript, audio=str(audio)), files)
    whole = audio.with_suffix(".zip")
    with replacing(whole) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files.values():
            archive.write(path, path.name)
    return [*files.values(), whole]


def clock(ms: int) -> str:
    """62345 → ``1:02.345``; with hours if there are any."""
    minutes, rest = divmod(ms, 60_000)
    seconds = f"{rest / 1000:06.3f}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds}" if minutes >= 60 else f"{minutes}:{seconds}"


def _milliseconds(cell: str, where: str, duration_ms: int) -> int:
    parts = _CLOCK.fullmatch(cell.replace(",", "."))
    if not parts:
        raise U2UError(f"{where}: {cell!r} is no time: write minutes and seconds, as 1:02.345")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    ms = round((hours * 3600 + minutes * 60 + seconds) * 1000)
    if ms > duration_ms:
        raise U2UError(f"{where}: {cell} is after the end of the recording, {clock(duration_ms)}")
    return ms
