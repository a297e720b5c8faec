"""The time domain of an annotation file that does not begin at 0, and where its recording begins in it.

Praat's *Extract part* with *preserve times* gives a TextGrid from 10 to 20 s, and a sound from 10 to 20 s; but a WAV
file has no times of its own, so the saved sound begins at 0. The same TextGrid beside the whole recording has the
recording's times. Only the length of the recording tells the two apart.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from u2u_hf.records import U2UError


def domain_origin_ms(domain_ms: tuple[int, int], audio: Path, length_ms: Callable[[Path], int] | None) -> int:
    """Return what to add to the times of an annotation file to get times in its recording.

    >>> domain_origin_ms((10_000, 20_000), Path("part.wav"), lambda path: 10_001)
    -10000
    >>> domain_origin_ms((10_000, 20_000), Path("whole.wav"), lambda path: 95_000)
    0

    Args:
        domain_ms: start and end, as the file says; (0, 0) if it does not.
        length_ms: audio file → its length; without it, or if it cannot be read, the times are the recording's.
    """
    start, end = domain_ms
    if start == 0 or length_ms is None:
        return 0
    try:
        length = length_ms(audio)
    except U2UError:  # the recording is reported where it is read for its sound
        return 0
    return -start if abs(length - (end - start)) < abs(length - end) else 0
