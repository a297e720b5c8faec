"""The registry of transcript formats that can be written.

A new format needs a function that renders or writes a transcript, and one line in `FORMATS`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from u2u_hf.files import write_text
from u2u_hf.formats import subtitles
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.formats.eaf_edit import add_tiers
from u2u_hf.formats.machine_tiers import child_name
from u2u_hf.formats.textgrid import write_textgrid
from u2u_hf.records import (
    CORRECTED_TYPE,
    MACHINE_ANNOTATOR,
    QUEUE_TYPE,
    SEGMENT_TYPE,
    UNSURE_TYPE,
    WORD_TYPE,
    Annotation,
    Segment,
    Tier,
    Transcript,
    U2UError,
)

# Of calibrated confidence: at least about one wrong character in 19, one or two in a usual segment, are expected.
UNSURE_BELOW = 0.95
# ELAN constraint of each child tier type.
CONSTRAINTS = {WORD_TYPE: "Included_In", UNSURE_TYPE: "Symbolic_Association", QUEUE_TYPE: "Symbolic_Association"}


def tiers_of(transcript: Transcript, unsure_below: float) -> list[Tier]:
    """Return a tier of segments for each channel with speech, or for each of the person's tiers, and its child tiers.

    One child tier has the words. The other marks each segment whose confidence is below `unsure_below` with an
    annotation such as ``42%``, so that stepping through that tier in ELAN leads to the segments to check. A third one
    has those that are to be corrected first, with their `turn`: ``1: 4 errors``.
    """
    groups: dict[str, list[Segment]] = {}
    for segment in transcript.segments:
        groups.setdefault(_tier_name(segment, transcript.channels), []).append(segment)
    tiers = []
    for name, own in groups.items():
        segments = tuple(Annotation(s.start_ms, s.end_ms, s.text) for s in own)
        words = tuple(word for s in own for word in _words_inside(s))
        unsure = tuple(
            Annotation(s.start_ms, s.end_ms, f"{s.confidence:.0%}") for s in own if s.confidence < unsure_below
        )
        common = {"participant": own[0].speaker, "annotator": MACHINE_ANNOTATOR}
        tiers.append(Tier(name, segments, SEGMENT_TYPE, **common))
        tiers.append(Tier(child_name(name, WORD_TYPE), words, WORD_TYPE, **common, parent=name))
        tiers.append(Tier(child_name(name, UNSURE_TYPE), unsure, UNSURE_TYPE, **common, parent=name))
        if queue := tuple(Annotation(s.start_ms, s.end_ms, _turn(s)) for s in own if s.turn):
            tiers.append(Tier(child_name(name, QUEUE_TYPE), queue, QUEUE_TYPE, **common, parent=name))
    return tiers


def _turn(segment: Segment) -> str:
    errors = round(segment.expected_errors or 0)
    return f"{segment.turn}: {errors} error{'' if errors == 1 else 's'}" if errors else str(segment.turn)


def _tier_name(segment: Segment, channels: int) -> str:
    if segment.tier:
        return f"{segment.tier} transcript"
    return f"channel {segment.channel + 1}" if channels > 1 else "transcript"


def _words_inside(segment: Segment) -> list[Annotation]:
    words = [(max(w.start_ms, segment.start_ms), min(w.end_ms, segment.end_ms), w.text) for w in segment.words]
    return [Annotation(*word) for word in words if word[0] < word[1]]


def _eaf(transcript: Transcript, path: Path, unsure_below: float) -> None:
    tiers = tiers_of(transcript, unsure_below)
    if transcript.annotations:
        tiers = [_earlier(tier, transcript.origin_ms) for tier in tiers]
        add_tiers(transcript.annotations, path, tiers, CONSTRAINTS, [CORRECTED_TYPE])
    else:
        write_eaf(path, tiers, [transcript.audio], CONSTRAINTS, author="u2u-hf", spare_types=[CORRECTED_TYPE])


def _earlier(tier: Tier, by_ms: int) -> Tier:
    """Return the tier with all times `by_ms` earlier; ELAN stores no times below 0, so what lies there is cut off."""
    moved = (Annotation(max(0, a.start_ms - by_ms), a.end_ms - by_ms, a.value) for a in tier.annotations)
    return dataclasses.replace(tier, annotations=tuple(a for a in moved if a.end_ms > 0))


def _textgrid(transcript: Transcript, path: Path, unsure_below: float) -> None:
    write_textgrid(path, tiers_of(transcript, unsure_below), transcript.duration_ms)


Write = Callable[[Transcript, Path, float], None]


def _text(render: Callable[[Transcript], str]) -> Write:
    return lambda transcript, path, unsure_below: write_text(path, render(transcript))


FORMATS: dict[str, tuple[str, Write]] = {
    "eaf": (".eaf", _eaf),
    "textgrid": (".TextGrid", _textgrid),
    "srt": (".srt", _text(subtitles.srt)),
    "vtt": (".vtt", _text(subtitles.vtt)),
    "tsv": (".tsv", _text(subtitles.tsv)),
    "json": (".json", _text(subtitles.as_json)),
    "txt": (".txt", _text(subtitles.txt)),
}


def parse_formats(listed: str) -> list[str]:
    """Return the names in a list such as ``"eaf,srt"``. Raises U2UError for unknown formats and an empty list."""
    formats = [name.strip().lower() for name in listed.split(",") if name.strip()]
    for name in formats:
        if name not in FORMATS:
            raise U2UError(f"--formats: {name!r} is not one of {','.join(FORMATS)}")
    if not formats:
        raise U2UError(f"--formats: name one of {','.join(FORMATS)}")
    return formats


def planned(stem: Path, formats: Sequence[str]) -> dict[str, Path]:
    """Return format → the file to write: `stem` with the format's extension."""
    return {name: stem.with_name(stem.name + FORMATS[name][0]) for name in formats}


def write(transcript: Transcript, files: dict[str, Path], unsure_below: float = UNSURE_BELOW) -> None:
    """Write the transcript to the files from `planned`, each whole or not at all.

    Raises:
        U2UError: a file cannot be written, or the recording's own ELAN file cannot be read.
    """
    for name, path in files.items():
        FORMATS[name][1](transcript, path, unsure_below)
