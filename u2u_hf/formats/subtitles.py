"""Transcripts as subtitles, tables and plain text.

In all but JSON a segment's text stands on one line: a line break would end a cue of subtitles (a blank line
does) or a row of a table. Segments without text are left out of subtitles and plain text.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json

from u2u_hf.records import Segment, Transcript


def srt(transcript: Transcript) -> str:
    """SubRip: numbered cues in order of time. It has no escapes, so an arrow ``-->`` becomes ``→``."""
    cues = (
        f"{number}\n{_clock(s.start_ms, ',')} --> {_clock(s.end_ms, ',')}\n{_line(s.text).replace('-->', '→')}\n"
        for number, s in enumerate(_heard(transcript), 1)
    )
    return "\n".join(cues)


def vtt(transcript: Transcript) -> str:
    """WebVTT (W3C): cues in order of time; the voice is the speaker, or the tier, or the channel, from 1."""
    escape = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
    cues = ["WEBVTT\n"]
    for s in _heard(transcript):
        voice, text = (_line(part).translate(escape) for part in (s.speaker or s.tier or str(s.channel + 1), s.text))
        cues.append(f"{_clock(s.start_ms, '.')} --> {_clock(s.end_ms, '.')}\n<v {voice}>{text}\n")
    return "\n".join(cues)


def tsv(transcript: Transcript) -> str:
    """A table with a header: start and end in seconds, channel from 1, person's tier, confidence 0…1, text.

    Fields with quotes are quoted as in CSV, which spreadsheets, Python's csv and pandas read.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect="excel-tab", lineterminator="\n")
    writer.writerow(("start", "end", "channel", "tier", "confidence", "text"))
    for s in sorted(transcript.segments, key=lambda s: (s.start_ms, s.channel)):
        times = (f"{s.start_ms / 1000:.3f}", f"{s.end_ms / 1000:.3f}")
        writer.writerow((*times, s.channel + 1, _line(s.tier), f"{s.confidence:.3f}", _line(s.text)))
    return buffer.getvalue()


def as_json(transcript: Transcript) -> str:
    """Everything, words included; the fields of `records.Transcript`."""
    text = json.dumps(dataclasses.asdict(transcript), ensure_ascii=False, indent=1) + "\n"
    # Of a file name that is not UTF-8 Python makes lone surrogates, which only escapes can hold.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def txt(transcript: Transcript) -> str:
    """One line a segment, in order of time."""
    return "".join(f"{_line(s.text)}\n" for s in _heard(transcript))


def _heard(transcript: Transcript) -> list[Segment]:
    return sorted((s for s in transcript.segments if s.text.strip()), key=lambda s: (s.start_ms, s.channel))


def _line(text: str) -> str:
    return " ".join(text.split())


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{point}{ms:03d}"
