"""Where in a recording somebody speaks: Silero VAD, and the cutting of its probabilities into segments.

The model looks at 512 samples (32 ms) at a time, with the 64 before them; its ONNX form for sequences takes
many such frames in one call and hands its state on to the next.
"""

from __future__ import annotations

import importlib.resources
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime

from u2u_hf.records import U2UError
from u2u_hf.settings import setting

FRAME_SAMPLES = 512
FRAME_MS = 32
_CONTEXT = 64
_STATE = (1, 1, 128)


@dataclass(frozen=True)
class VadSettings:
    """How probabilities become segments; the fields' help says what each is, `without_crosstalk` the last one."""

    threshold: float = setting(0.5, help="0 to 1: lower finds more speech, and more that is none")
    min_speech_ms: int = setting(200, help="shorter stretches of speech are noise")
    min_silence_ms: int = setting(400, help="segments closer together than this are one")
    pad_ms: int = setting(120, help="added before and after a segment, as far as there is room")
    max_segment_ms: int = setting(20_000, help="longer segments are cut where speech is least probable")
    crosstalk_db: float = setting(10.0, help="a channel so much quieter than another holds that one's speaker")

    def __post_init__(self):
        if not 0 < self.threshold < 1:
            raise U2UError(f"--threshold {self.threshold}: give a probability between 0 and 1, 0.3 for example")
        if self.max_segment_ms < 2 * self.pad_ms + FRAME_MS or self.pad_ms < 0:
            raise U2UError(f"--max_segment_ms {self.max_segment_ms}: has no room for --pad_ms {self.pad_ms} twice")


class SpeechDetector:
    """Silero VAD over one channel, block after block: call `probabilities` in order of time."""

    def __init__(self):
        path = importlib.resources.files("silero_vad") / "data" / "silero_vad_16k_sequence.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.reset()

    def reset(self) -> None:
        """Begin another recording or channel."""
        self._state = [np.zeros(_STATE, dtype=np.float32) for _ in range(2)]
        self._context = np.zeros(_CONTEXT, dtype=np.float32)

    def probabilities(self, samples: np.ndarray) -> np.ndarray:
        """Probability of speech in each frame of 32 ms.

        Args:
            samples: float32 [N] at 16 kHz; every block but the last a multiple of 512 samples.

        Returns:
            float32 [ceil(N / 512)], 0…1.
        """
        if not len(samples):
            return np.zeros(0, dtype=np.float32)
        padded = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES))
        with_context = np.concatenate([self._context, padded]).astype(np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(with_context, _CONTEXT + FRAME_SAMPLES)[::FRAME_SAMPLES]
        inputs = {"input": np.ascontiguousarray(frames), "h": self._state[0], "c": self._state[1]}
        probabilities, *self._state = self._session.run(None, inputs)
        self._context = with_context[-_CONTEXT:]
        return probabilities


def levels_db(samples: np.ndarray) -> np.ndarray:
    """Level of each frame of 32 ms in dB re full scale: float32 [ceil(N / 512)] for samples [N].

    An offset, which many cheap recorders add, is no sound: it is taken off.
    """
    frames = np.pad(samples, (0, -len(samples) % FRAME_SAMPLES), mode="edge").reshape(-1, FRAME_SAMPLES)
    return (10 * np.log10(frames.var(1, dtype=np.float64) + 1e-10)).astype(np.float32)


def without_crosstalk(probabilities: np.ndarray, levels: np.ndarray, settings: VadSettings) -> np.ndarray:
    """Silence a channel where what it holds is another channel's speaker, leaking in.

    Where each speaker has a microphone, the difference of two channels' levels has two peaks, one for each
    speaker, wherever the gains put them: what is near the other speaker's peak is cross-talk; what is
    between the two is both at once. Without two peaks 12 dB apart, a channel that is `crosstalk_db` quieter
    holds cross-talk.

    Args:
        probabilities: float32 [C, F]. levels: float32 [C, F], dB.

    Returns:
        probabilities [C, F], 0 where there is cross-talk.
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
    """The difference of levels (dB) below which a channel holds the other one's speaker."""
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
    """One microphone on every channel (levels [C, F] equal within 0.1 dB): transcribe it once."""
    return len(levels) > 1 and bool((np.ptp(levels, axis=0) < 0.1).all())


def segments(probabilities: np.ndarray, settings: VadSettings, duration_ms: int) -> list[tuple[int, int]]:
    """Stretches of speech as (start, end) in ms, in order, none overlapping.

    Args:
        probabilities: float32 [F], one for each 32 ms.
        duration_ms: of the recording; nothing reaches beyond it.
    """
    joined: list[list[int]] = []
    for first, end in _speech_runs(probabilities, settings.threshold):
        if joined and (first - joined[-1][1]) * FRAME_MS < settings.min_silence_ms:
            joined[-1][1] = end
        else:
            joined.append([first, end])
    long_enough = [run for run in joined if (run[1] - run[0]) * FRAME_MS >= settings.min_speech_ms]
    most = max(1, (settings.max_segment_ms - 2 * settings.pad_ms) // FRAME_MS)
    pieces = [piece for first, end in long_enough for piece in _cut(probabilities, first, end, most)]
    spans = [(first * FRAME_MS, min(end * FRAME_MS, duration_ms)) for first, end in pieces]
    return _padded([span for span in spans if span[0] < span[1]], settings.pad_ms, duration_ms)


def _speech_runs(probabilities: np.ndarray, threshold: float) -> list[tuple[int, int]]:
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


def _cut(probabilities: np.ndarray, first: int, end: int, most: int) -> list[tuple[int, int]]:
    """Cut [first, end) into pieces of at most `most` frames, at the least probable frame of each last half."""
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
