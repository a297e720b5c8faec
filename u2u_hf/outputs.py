"""A transcript in every format that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from u2u_hf import subtitles
from u2u_hf.eaf import write_eaf
from u2u_hf.files import write_text
from u2u_hf.records import SEGMENT_TYPE, WORD_TYPE, Annotation, Segment, Tier, Transcript, U2UError
from u2u_hf.textgrid import write_textgrid


def tiers_of(transcript: Transcript) -> list[Tier]:
    """A tier of segments for each channel with speech, and a child tier of its words."""
    tiers = []
    for channel in range(transcript.channels):
        own = [s for s in transcript.segments if s.channel == channel]
        if not own:
            continue
        name = f"channel {channel + 1}" if transcript.channels > 1 else "transcript"
        segments = tuple(Annotation(s.start_ms, s.end_ms, s.text) for s in own)
        tiers.append(Tier(name, segments, linguistic_type=SEGMENT_TYPE, annotator="u2u-hf"))
        words = tuple(word for s in own for word in _words_inside(s))
        tiers.append(Tier(f"{name} words", words, linguistic_type=WORD_TYPE, annotator="u2u-hf", parent=name))
    return tiers


def _words_inside(segment: Segment) -> list[Annotation]:
    words = [(max(w.start_ms, segment.start_ms), min(w.end_ms, segment.end_ms), w.text) for w in segment.words]
    return [Annotation(*word) for word in words if word[0] < word[1]]


def _eaf(transcript: Transcript, path: Path) -> None:
    write_eaf(path, tiers_of(transcript), [transcript.audio], {WORD_TYPE: "Included_In"}, author="u2u-hf")


def _textgrid(transcript: Transcript, path: Path) -> None:
    write_textgrid(path, tiers_of(transcript), transcript.duration_ms)


def _text(render: Callable[[Transcript], str]) -> Callable[[Transcript, Path], None]:
    return lambda transcript, path: write_text(path, render(transcript))


FORMATS: dict[str, tuple[str, Callable[[Transcript, Path], None]]] = {
    "eaf": (".eaf", _eaf),
    "textgrid": (".TextGrid", _textgrid),
    "srt": (".srt", _text(subtitles.srt)),
    "vtt": (".vtt", _text(subtitles.vtt)),
    "tsv": (".tsv", _text(subtitles.tsv)),
    "json": (".json", _text(subtitles.as_json)),
    "txt": (".txt", _text(subtitles.txt)),
}


def parse_formats(listed: str) -> list[str]:
    """``"eaf,srt"`` → ``["eaf", "srt"]``. Raises U2UError: an unknown one."""
    formats = [name.strip().lower() for name in listed.split(",") if name.strip()]
    for name in formats:
        if name not in FORMATS:
            raise U2UError(f"--formats: {name!r} is not one of {','.join(FORMATS)}")
    return formats


def planned(stem: Path, formats: Sequence[str]) -> dict[str, Path]:
    """format → the file it goes to: `stem` with the format's extension."""
    return {name: stem.with_name(stem.name + FORMATS[name][0]) for name in formats}


def write(transcript: Transcript, files: dict[str, Path]) -> None:
    """Write the transcript to each of `planned`'s files, each whole or not at all."""
    for name, path in files.items():
        FORMATS[name][1](transcript, path)
