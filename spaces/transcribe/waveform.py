"""How loud each part of a recording is, for the editor's waveform."""

from __future__ import annotations

import numpy as np

from u2u_hf.data.audio import AudioInfo, blocks

_PART_MS = 10
_MOST_PARTS = 400_000  # of all channels, a byte each: 55 a second in an hour of stereo
_QUIET_DB = -60.0


def levels(info: AudioInfo) -> np.ndarray:
    """Return the loudest sample of each of equal parts, of 10 ms or more: uint8 [C, P], 0…255 for −60…0 dB.

    Raises:
        U2UError: the file cannot be decoded.
    """
    points = max(1, min(_MOST_PARTS // info.channels, info.duration_ms // _PART_MS))
    found = np.zeros((info.channels, points), dtype=np.float32)
    for start_ms, block in blocks(info):
        at = ((start_ms + np.arange(block.shape[1]) / 16) * points / max(1, info.duration_ms)).astype(int)
        first = np.flatnonzero(np.diff(at, prepend=-1))
        loudest = np.maximum.reduceat(np.abs(block), first, axis=1)
        places = np.minimum(at[first], points - 1)
        np.maximum.at(found, (slice(None), places), loudest)
    decibels = 20 * np.log10(np.maximum(found, 1e-6))
    return np.round(255 * np.clip(1 - decibels / _QUIET_DB, 0, 1)).astype(np.uint8)
