"""A transcript as a table that a person corrects, and the files written from the corrected table."""

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
    """Return the segments in order of time: start and end as ``1:02.345``, channel from 1, text, confidence.

    The confidence of an unsure segment begins with ``⚠``.
    """
    ordered = sorted(transcript.segments, key=lambda s: (s.start_ms, s.channel))
    return [
        [
            format_time(s.start_ms),
            format_time(s.end_ms),
            str(s.channel + 1),
            s.text,
            f"{'⚠ ' if s.confidence < unsure_below else ''}{s.confidence:.0%}",
        ]
        for s in ordered
    ]


def corrected(transcript: Transcript, table: Sequence[Row]) -> Transcript:
    """Return the transcript of a table in which a person has changed, added, deleted or reordered rows.

    An unchanged row keeps its words and its confidence; a changed or new row has confidence 1 and no words. Empty rows
    are dropped.

    Raises:
        U2UError: a time or channel is invalid or outside the recording, or rows of one channel overlap.
    """
    known = {(s.channel, s.start_ms, s.end_ms, s.text): s for s in transcript.segments}
    found = []
    for number, row in enumerate(table, 1):
        start, end, channel, text = (str(cell if cell is not None else "").strip() for cell in row[:4])
        if not (start or end or text):
            continue
        span = tuple(_milliseconds(cell, f"row {number}", transcript.duration_ms) for cell in (start, end))
        if not channel.isdecimal() or len(channel) > 4 or not 1 <= int(channel) <= transcript.channels:
            raise U2UError(
                f"row {number}, {start}: channel {channel[:20]!r}: give a number from 1 to {transcript.channels}"
            )
        if span[0] >= span[1]:
            raise U2UError(f"row {number}: the end {end} is not after the start {start}")
        key = (int(channel) - 1, *span, " ".join(text.split()))
        found.append(known.get(key) or Segment(*key, confidence=1.0))
    found.sort(key=lambda s: (s.channel, s.start_ms))
    for a, b in itertools.pairwise(found):
        if a.channel == b.channel and b.start_ms < a.end_ms:
            where = f"channel {b.channel + 1}, {format_time(b.start_ms)}"
            raise U2UError(
                f"{where}: begins before the row above ends ({format_time(a.end_ms)}); in ELAN they may not overlap"
            )
    return dataclasses.replace(transcript, segments=tuple(found))


def write_files(transcript: Transcript, folder: Path) -> list[Path]:
    """Write the transcript in `FORMATS`, and a .zip of these files, under the name of the recording.

    The files refer to the recording as a file in their own folder.

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


def format_time(ms: int) -> str:
    """Return a time as minutes and seconds, with hours if there are any.

    >>> format_time(62345)
    '1:02.345'
    """
    minutes, rest = divmod(ms, 60_000)
    seconds = f"{rest / 1000:06.3f}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds}" if minutes >= 60 else f"{minutes}:{seconds}"


def _milliseconds(cell: str, where: str, duration_ms: int) -> int:
    parts = _CLOCK.fullmatch(cell.replace(",", "."))
    if not parts:
        raise U2UError(f"{where}: {cell[:20]!r} is not a time: write minutes and seconds, such as 1:02.345")
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    ms = (hours * 3600 + minutes * 60 + seconds) * 1000
    if ms >= duration_ms + 0.5:  # infinite for 400 digits
        raise U2UError(f"{where}: {cell[:20]} is after the end of the recording at {format_time(duration_ms)}")
    return round(ms)
