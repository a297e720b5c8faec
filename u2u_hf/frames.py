"""Frame arithmetic of the HuBERT/wav2vec 2.0 convolutional encoder, in exact integers.

Seven convolutions (kernels and strides below; Baevski et al. 2020, wav2vec 2.0, section 4.1) turn 16 kHz
samples into frames. Frame i sees samples [320·i, 320·i + 400), 25 ms, and stands for the 20 ms around the
middle of what it sees: samples [320·i + 40, 320·i + 360).
"""

from __future__ import annotations

import itertools

SAMPLING_RATE = 16_000
KERNELS = (10, 3, 3, 3, 3, 2, 2)
STRIDES = (5, 2, 2, 2, 2, 2, 2)
STRIDE = 320
RECEPTIVE_FIELD = 400
_LEAD = (RECEPTIVE_FIELD - STRIDE) // 2
_SAMPLES_PER_MS = SAMPLING_RATE // 1000


def frame_count(samples: int) -> int:
    """How many frames `samples` samples at 16 kHz give: 400 give 1, 16,000 give 49."""
    if samples < RECEPTIVE_FIELD:
        return 0
    return (samples - RECEPTIVE_FIELD) // STRIDE + 1


def frames_in_ms(duration_ms: int) -> int:
    """How many frames a stretch of `duration_ms` gives."""
    return frame_count(duration_ms * _SAMPLES_PER_MS)


def frame_start_ms(frame: int) -> int:
    """Where the stretch that frame `frame` stands for begins, in whole ms (rounded down)."""
    return (frame * STRIDE + _LEAD) // _SAMPLES_PER_MS


def frame_end_ms(frame: int) -> int:
    """Where the stretch that frame `frame` stands for ends: the start of the next one's."""
    return frame_start_ms(frame + 1)


def frames_needed(labels: str | list[int] | tuple[int, ...]) -> int:
    """The fewest frames that can spell `labels` in CTC: one each, and a blank between equal neighbours.

    Graves et al. 2006, section 3.1: a repeated label needs a blank between its two occurrences.
    """
    return len(labels) + sum(a == b for a, b in itertools.pairwise(labels))
