"""Voice detection: what a detector is, and how its probabilities of speech become segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from u2u_hf.records import Segment, U2UError
from u2u_hf.settings import setting

FRAME_SAMPLES = 512
FRAME_MS = 32

SegmentLogProbs = Callable[[Segment], tuple[np.ndarray, int]]  # → float32 [T, V], and where frame 0 begins (ms)


class SpeechDetector(Protocol):
    """Finds speech in one recording, which it is given block by block, in order of time.

    Attributes:
        log_probs: the log-probabilities of a segment, if the detector is the recogniser; else None.
    """

    log_probs: SegmentLogProbs | None

    def add(self, block: np.ndarray) -> None:
        """Take the next block, float32 [C, N] at 16 kHz; N is a multiple of 512 in all but the last."""

    def probabilities(self) -> np.ndarray:
        """Return the probability of speech in each frame of 32 ms, after the last block: float32 [C, F], 0…1."""


@dataclass(frozen=True)
class VadSettings:
    """How probabilities become segments; the fields' help says what each does, `without_crosstalk` the last one."""

    threshold: float = setting(0.5, help="speech threshold, 0 to 1: lower finds more speech and more false alarms")
    min_speech_ms: int = setting(200, help="shortest speech in ms: shorter runs are dropped as noise")
    min_silence_ms: int = setting(400, help="shortest pause in ms: segments with a shorter pause between are joined")
    pad_ms: int = setting(120, help="padding before and after each segment in ms, halved where the next one is near")
    max_segment_ms: int = setting(20_000, help="longest segment in ms: longer ones are split where speech is unlikely")
    crosstalk_db: float = setting(10.0, help="a channel this many dB quieter than another one holds its cross-talk")

    def __post_init__(self):
        if not 0 < self.threshold < 1:
            raise U2UError(f"--threshold {self.threshold}: give a probability between 0 and 1, 0.3 for example")
        if self.max_segment_ms < 2 * self.pad_ms + FRAME_MS or self.pad_ms < 0:
            raise U2UError(f"--max_segment_ms {self.max_segment_ms}: must be longer than --pad_ms {self.pad_ms} twice")


def segments(probabilities: np.ndarray, settings: VadSettings, duration_ms: int) -> list[tuple[int, int]]:
    """Return the segments of speech as (start, end) in ms, in order, without overlaps.

    Args:
        probabilities: float32 [F], one for each 32 ms.
        duration_ms: length of the recording; no segment ends later.
    """
    joined: list[list[int]] = []
    for first, end in _speech_runs(probabilities, settings.threshold):
        if joined and (first - joined[-1][1]) * FRAME_MS < settings.min_silence_ms:
            joined[-1][1] = end
        else:
            joined.append([first, end])
    long_enough = [run for run in joined if (run[1] - run[0]) * FRAME_MS >= settings.min_speech_ms]
    most = max(1, (settings.max_segment_ms - 2 * settings.pad_ms) // FRAME_MS)
    pieces = [piece for first, end in long_enough for piece in _split(probabilities, first, end, most)]
    spans = [(first * FRAME_MS, min(end * FRAME_MS, duration_ms)) for first, end in pieces]
    return _padded([span for span in spans if span[0] < span[1]], settings.pad_ms, duration_ms)


def _speech_runs(probabilities: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """Return runs [first, end) of frames: one begins at the threshold and ends 0.15 below it."""
    runs, first = [], None
    for frame, probability in enumerate(probabilities):
        if first is None and probability >= threshold:
            first = frame
        elif first is not None and probability < threshold - 0.15:
            runs.append((first, frame))
            first = None
    if first is not None:
        runs.append((first, len(probabilities)))
    return runs


def _split(probabilities: np.ndarray, first: int, end: int, most: int) -> list[tuple[int, int]]:
    """Split [first, end) into pieces of at most `most` frames, at the least probable frame of each second half."""
    pieces = []
    while end - first > most:
        low = first + most // 2 + 1
        at = low + int(np.argmin(probabilities[low : first + most])) if low < first + most else first + most
        pieces.append((first, at))
        first = at
    return [*pieces, (first, end)]


def _padded(spans: Sequence[tuple[int, int]], pad_ms: int, duration_ms: int) -> list[tuple[int, int]]:
    padded = []
    for index, (start, end) in enumerate(spans):
        before = (start - spans[index - 1][1]) // 2 if index else start
        after = (spans[index + 1][0] - end + 1) // 2 if index + 1 < len(spans) else duration_ms - end
        padded.append((start - min(pad_ms, before), end + min(pad_ms, after)))
    return padded
