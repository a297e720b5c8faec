"""Transcripts as subtitles, tables and plain text."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

from u2u_hf.records import Segment, Transcript


def srt(transcript: Transcript) -> str:
    """SubRip: numbered cues in order of time."""
    cues = (
        f"{number}\n{_clock(s.start_ms, ',')} --> {_clock(s.end_ms, ',')}\n{s.text}\n"
        for number, s in enumerate(_heard(transcript), 1)
    )
    return "\n".join(cues)


def vtt(transcript: Transcript) -> str:
    """WebVTT (W3C): cues in order of time, the channel as the voice."""
    escape = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
    cues = (
        f"{_clock(s.start_ms, '.')} --> {_clock(s.end_ms, '.')}\n<v {s.channel + 1}>{s.text.translate(escape)}\n"
        for s in _heard(transcript)
    )
    return "\n".join(["WEBVTT\n", *cues])


def tsv(transcript: Transcript) -> str:
    """A table with a header: start and end in seconds, channel from 1, confidence 0…1, text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, dialect="excel-tab", lineterminator="\n")
    writer.writerow(("start", "end", "channel", "confidence", "text"))
    for s in sorted(transcript.segments, key=lambda s: (s.start_ms, s.channel)):
        row = (f"{s.start_ms / 1000:.3f}", f"{s.end_ms / 1000:.3f}", s.channel + 1, f"{s.confidence:.3f}", s.text)
        writer.writerow(row)
    return buffer.getvalue()


def as_json(transcript: Transcript) -> str:
    """Everything, words included; the fields of `records.Transcript`."""
    return json.dumps(dataclasses.asdict(transcript), ensure_ascii=False, indent=1) + "\n"


def txt(transcript: Transcript) -> str:
    """One line a segment, in order of time."""
    return "".join(f"{s.text}\n" for s in _heard(transcript))


def _heard(transcript: Transcript) -> list[Segment]:
    return sorted((s for s in transcript.segments if s.text), key=lambda s: (s.start_ms, s.channel))


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{point}{ms:03d}"
