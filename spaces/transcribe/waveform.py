"""The waveform of a recording: the level of each channel, and where speech was found."""

from __future__ import annotations

import numpy as np

from u2u_hf.data.audio import AudioInfo, blocks
from u2u_hf.records import Transcript
from u2u_hf.reports.html import Markup, element

_POINTS, _LANE = 1000, 60
_QUIET_DB = -60.0


def levels(info: AudioInfo) -> np.ndarray:
    """Return the loudest sample of each of up to 1,000 equal parts: float32 [C, P], 0…1 for −60…0 dB.

    Raises:
        U2UError: the file cannot be decoded.
    """
    points = min(_POINTS, max(1, info.duration_ms // 10))
    found = np.zeros((info.channels, points), dtype=np.float32)
    for start_ms, block in blocks(info):
        at = ((start_ms + np.arange(block.shape[1]) / 16) * points / max(1, info.duration_ms)).astype(int)
        first = np.flatnonzero(np.diff(at, prepend=-1))
        loudest = np.maximum.reduceat(np.abs(block), first, axis=1)
        places = np.minimum(at[first], points - 1)
        np.maximum.at(found, (slice(None), places), loudest)
    decibels = 20 * np.log10(np.maximum(found, 1e-6))
    return np.clip(1 - decibels / _QUIET_DB, 0, 1).astype(np.float32)


def picture(level: np.ndarray, transcript: Transcript, label: str) -> Markup:
    """Return an SVG with a lane for each channel, its waveform drawn over its segments.

    Args:
        level: from `levels`.
        label: text for screen readers.
    """
    channels, points = level.shape
    boxes = [
        element(
            "rect",
            x=round(s.start_ms / max(1, transcript.duration_ms) * points, 2),
            y=s.channel * _LANE,
            width=round((s.end_ms - s.start_ms) / max(1, transcript.duration_ms) * points, 2),
            height=_LANE,
            class_="speech",
        )
        for s in transcript.segments
    ]
    waves = []
    for channel, row in enumerate(level):
        middle = (channel + 0.5) * _LANE
        upper = [f"{x},{middle - height * _LANE * 0.45:.1f}" for x, height in enumerate(row)]
        lower = [f"{x},{middle + height * _LANE * 0.45:.1f}" for x, height in enumerate(row)]
        waves.append(element("polygon", points=" ".join([*upper, *reversed(lower)]), class_="wave"))
    view = f"0 0 {points} {channels * _LANE}"
    return element("svg", *boxes, *waves, viewBox=view, preserveAspectRatio="none", role="img", aria_label=label)
