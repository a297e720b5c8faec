"""Log-probabilities of sound longer than the recogniser takes at once: overlapping windows, joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from u2u_hf.frames import SAMPLING_RATE, STRIDE

# The encoder's memory grows with the square of the window's length.
WINDOW_S, OVERLAP_S = 20, 4

LogProbs = Callable[[np.ndarray], np.ndarray]  # float32 samples [N] at 16 kHz → float32 [T, V]


class Windows:
    """Cuts a channel that arrives in blocks into overlapping windows.

    Each frame is taken from the window in which it is farther from an edge: two windows meet in the middle of their
    overlap. The same frames come out wherever the blocks begin and end.
    """

    def __init__(self, window_s: int = WINDOW_S, overlap_s: int = OVERLAP_S):
        self._window = window_s * SAMPLING_RATE
        self._hop = (window_s - overlap_s) * SAMPLING_RATE
        self._half_overlap = overlap_s * SAMPLING_RATE // 2 // STRIDE  # frames
        self._buffer = np.zeros(0, dtype=np.float32)
        self._first = 0  # frame of the next window that is not in the window before it

    def add(self, samples: np.ndarray) -> Iterator[tuple[np.ndarray, slice]]:
        """Take the next samples [N], and yield each window that is complete with the slice of its frames to keep."""
        self._buffer = np.concatenate([self._buffer, samples])
        while len(self._buffer) > self._window:
            yield self._buffer[: self._window], slice(self._first, self._hop // STRIDE + self._half_overlap)
            self._buffer = self._buffer[self._hop :]
            self._first = self._half_overlap

    def end(self) -> tuple[np.ndarray, slice]:
        """Return the last window and the slice of its frames to keep."""
        return self._buffer, slice(self._first, None)


def log_probs_in_windows(
    log_probs: LogProbs, samples: np.ndarray, window_s: int = WINDOW_S, overlap_s: int = OVERLAP_S
) -> np.ndarray:
    """Return the log-probabilities float32 [T, V] of samples [N] of any length.

    Args:
        window_s: longest sound that `log_probs` is given, seconds.
        overlap_s: seconds that two neighbouring windows share.
    """
    windows = Windows(window_s, overlap_s)
    parts = [log_probs(window)[kept] for window, kept in windows.add(samples)]
    window, kept = windows.end()
    return np.concatenate([*parts, log_probs(window)[kept]])
