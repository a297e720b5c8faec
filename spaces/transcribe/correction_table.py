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

_SHOWN = 20  # characters of a cell in a message

Row = Sequence[object]


class WrongCell(U2UError):
    """A cell that no ELAN file could hold, for a message in the visitor's language.

    Attributes:
        key: the message's, in `strings.STRINGS`.
        values: what the message names: the row, from 1, the column, one of `COLUMNS`, and more.
    """

    def __init__(self, key: str, row: int, column: str, **values: object):
        self.key, self.values = key, {"row": row, "column": column, **values}
        super().__init__(f"{key}: row {row}, column {column}")


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
        WrongCell: a time or channel is invalid or outside the recording, or rows of one channel overlap.
    """
    known = {(s.channel, s.start_ms, s.end_ms, s.text): s for s in transcript.segments}
    found = []
    for number, row in enumerate(table, 1):
        cells = [str(cell if cell is not None else "").strip() for cell in row[:4]]
        if cells[0] or cells[1] or cells[3]:
            key = _segment(cells, number, transcript)
            found.append((known.get(key) or Segment(*key, confidence=1.0), number))
    found.sort(key=lambda pair: (pair[0].channel, pair[0].start_ms))
    for (a, above), (b, number) in itertools.pairwise(found):
        if a.channel == b.channel and b.start_ms < a.end_ms:
            raise WrongCell("wrong_overlap", number, "start", other=above, end=format_time(a.end_ms))
    return dataclasses.replace(transcript, segments=tuple(segment for segment, _ in found))


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


def _segment(cells: Sequence[str], row: int, transcript: Transcript) -> tuple[int, int, int, str]:
    """Return channel, start and end in ms, and text of a row's first four cells."""
    start, end, channel, text = cells
    start_ms = _milliseconds(start, row, "start", transcript.duration_ms)
    end_ms = _milliseconds(end, row, "end", transcript.duration_ms)
    if not channel.isdecimal() or len(channel) > 4 or not 1 <= int(channel) <= transcript.channels:
        raise WrongCell("wrong_channel", row, "channel", cell=_short(channel), most=transcript.channels)
    if start_ms >= end_ms:
        raise WrongCell("wrong_order", row, "end", cell=_short(end), start=_short(start))
    return int(channel) - 1, start_ms, end_ms, " ".join(text.split())


def _milliseconds(cell: str, row: int, column: str, duration_ms: int) -> int:
    parts = _CLOCK.fullmatch(cell.replace(",", "."))
    if not parts:
        raise WrongCell("wrong_time", row, column, cell=_short(cell))
    hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    ms = (hours * 3600 + minutes * 60 + seconds) * 1000
    if ms >= duration_ms + 0.5:  # infinite for 400 digits
        raise WrongCell("wrong_late", row, column, cell=_short(cell), last=format_time(duration_ms))
    return round(ms)


def _short(cell: str) -> str:
    return cell if len(cell) <= _SHOWN else f"{cell[: _SHOWN - 1]}…"
