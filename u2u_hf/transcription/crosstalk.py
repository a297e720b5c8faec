"""Cross-talk: where a channel holds the speaker of another one, or all channels hold the same sound."""

from __future__ import annotations

import itertools

import numpy as np

from u2u_hf.transcription.voice_detection import FRAME_SAMPLES, VadSettings


def levels_db(samples: np.ndarray) -> np.ndarray:
    """Return the level of each frame of 32 ms in dB re full scale: float32 [ceil(N / 512)] for samples [N].

    A constant offset, which many cheap recorders add, does not count.
    """
    frames = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES), mode="edge").reshape(-1, FRAME_SAMPLES)
    return (10 * np.log10(frames.var(1, dtype=np.float64) + 1e-10)).astype(np.float32)


def without_crosstalk(probabilities: np.ndarray, levels: np.ndarray, settings: VadSettings) -> np.ndarray:
    """Return the probabilities of speech with 0 where a channel holds cross-talk from another channel's speaker.

    If each speaker has a microphone, the difference of two channels' levels has two peaks, one for each speaker,
    wherever the gains put them: a frame near the other speaker's peak is cross-talk, a frame between the two has both
    speaking at once. Without two peaks 12 dB apart, a channel that is `crosstalk_db` quieter holds cross-talk.

    Args:
        probabilities: float32 [C, F]. levels: float32 [C, F], dB.
    """
    if len(probabilities) < 2 or not probabilities.shape[1]:
        return probabilities
    smooth = np.stack([np.convolve(np.pad(row, 2, mode="edge"), np.ones(5) / 5, mode="valid") for row in levels])
    leaking = np.zeros(probabilities.shape, dtype=bool)
    for channel, other in itertools.permutations(range(len(probabilities)), 2):
        difference = smooth[channel] - smooth[other]
        speech = probabilities[[channel, other]].max(0) >= settings.threshold
        leaking[channel] |= difference < _leak_below(difference[speech], settings.crosstalk_db)
    return np.where(leaking, 0.0, probabilities)


def _leak_below(differences: np.ndarray, crosstalk_db: float) -> float:
    """Return the difference of levels (dB) below which a channel holds the other one's speaker."""
    if len(differences) < 2:
        return -crosstalk_db
    low, high = np.percentile(differences, (5, 95))
    for _ in range(20):  # two means in one dimension
        near_high = differences > (low + high) / 2
        if near_high.all() or not near_high.any():
            return -crosstalk_db
        low, high = differences[~near_high].mean(), differences[near_high].mean()
    return low + 0.4 * (high - low) if high - low >= 12 else -crosstalk_db


def same_on_all_channels(levels: np.ndarray) -> bool:
    """Return whether all channels hold one microphone's sound: levels [C, F] equal within 0.1 dB."""
    return len(levels) > 1 and bool((np.ptp(levels, axis=0) < 0.1).all())
