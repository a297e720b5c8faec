"""Transcripts as subtitles, tables and plain text.

Except in JSON, a segment's text is written on one line: a line break would end a row of a table, and a blank line a cue
of subtitles. Subtitles and plain text contain no segments without text.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json

from u2u_hf.records import Segment, Transcript


def srt(transcript: Transcript) -> str:
    """Return SubRip: numbered cues in order of time. It has no escapes, so an arrow ``-->`` becomes ``→``."""
    cues = []
    for number, s in enumerate(_with_text(transcript), 1):
        text = _one_line(s.text).replace("-->", "→")
        cues.append(f"{number}\n{_timestamp(s.start_ms, ',')} --> {_timestamp(s.end_ms, ',')}\n{text}\n")
    return "\n".join(cues)


def vtt(transcript: Transcript) -> str:
    """Return WebVTT (W3C): cues in order of time; the voice is the speaker, the tier or the channel from 1."""
    escape = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
    cues = ["WEBVTT\n"]
    for s in _with_text(transcript):
        speaker = s.speaker or s.tier or str(s.channel + 1)
        voice, text = (_one_line(part).translate(escape) for part in (speaker, s.text))
        cues.append(f"{_timestamp(s.start_ms, '.')} --> {_timestamp(s.end_ms, '.')}\n<v {voice}>{text}\n")
    return "\n".join(cues)


def tsv(transcript: Transcript) -> str:
    """Return a table with a header: start and end in s, channel from 1, person's tier, confidence 0 to 1, text.

    Fields with quotes are quoted as in CSV, so that spreadsheets, Python's csv and pandas can read them.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect="excel-tab", lineterminator="\n")
    writer.writerow(("start", "end", "channel", "tier", "confidence", "text"))
    for s in sorted(transcript.segments, key=lambda s: (s.start_ms, s.channel)):
        times = (f"{s.start_ms / 1000:.3f}", f"{s.end_ms / 1000:.3f}")
        writer.writerow((*times, s.channel + 1, _one_line(s.tier), f"{s.confidence:.3f}", _one_line(s.text)))
    return buffer.getvalue()


def as_json(transcript: Transcript) -> str:
    """Return JSON with all fields of `records.Transcript`, words included."""
    text = json.dumps(dataclasses.asdict(transcript), ensure_ascii=False, indent=1) + "\n"
    # Python reads file names that are not UTF-8 as lone surrogates, which only escapes can represent.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def txt(transcript: Transcript) -> str:
    """Return plain text: one line for each segment, in order of time."""
    return "".join(f"{_one_line(s.text)}\n" for s in _with_text(transcript))


def _with_text(transcript: Transcript) -> list[Segment]:
    return sorted((s for s in transcript.segments if s.text.strip()), key=lambda s: (s.start_ms, s.channel))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _timestamp(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{point}{ms:03d}"
