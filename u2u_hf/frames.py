"""Frame arithmetic of the HuBERT/wav2vec 2.0 conv feature encoder, in exact integers.

Seven convolutions (kernels and strides below; Baevski et al. 2020, wav2vec 2.0, section 4.1) turn 16 kHz samples into
frames. The receptive field of frame i is samples [320·i, 320·i + 400), 25 ms. The frame stands for the middle 20 ms
of it: samples [320·i + 40, 320·i + 360).
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


def frame_count(samples: int, receptive_field: int = RECEPTIVE_FIELD) -> int:
    """Return the number of frames of `samples` samples at 16 kHz: 1 for 400, 49 for 16,000.

    Args:
        receptive_field: samples behind one frame; models with log-mel input have more than the convolutions.
    """
    if samples < receptive_field:
        return 0
    return (samples - receptive_field) // STRIDE + 1


def delay_ms(receptive_field: int) -> int:
    """Return how much later the frames of this receptive field lie than those of the convolutions: 5 for 560."""
    return (receptive_field - RECEPTIVE_FIELD) // 2 // _SAMPLES_PER_MS


def frames_in_ms(duration_ms: int) -> int:
    """Return the number of frames of `duration_ms` milliseconds of sound."""
    return frame_count(duration_ms * _SAMPLES_PER_MS)


def frame_start_ms(frame: int) -> int:
    """Return the start of the 20 ms that frame `frame` stands for, in whole ms (rounded down)."""
    return (frame * STRIDE + _LEAD) // _SAMPLES_PER_MS


def frame_end_ms(frame: int) -> int:
    """Return the end of the 20 ms that frame `frame` stands for: the start of the next frame."""
    return frame_start_ms(frame + 1)


def frames_needed(labels: str | list[int] | tuple[int, ...]) -> int:
    """Return the fewest frames in which CTC can spell `labels`: one for each, and a blank between equal neighbours.

    Graves et al. 2006, section 3.1: a repeated label needs a blank between its two occurrences.
    """
    return len(labels) + sum(a == b for a, b in itertools.pairwise(labels))
