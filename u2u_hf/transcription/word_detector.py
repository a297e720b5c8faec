"""The recogniser as a voice detector: speech is where it recognises words."""

from __future__ import annotations

import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

import numpy as np

from u2u_hf.frames import SAMPLING_RATE, STRIDE, frame_end_ms, frame_start_ms
from u2u_hf.recognition.decoding import DELIMITER, Labels
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Segment, U2UError
from u2u_hf.transcription.voice_detection import FRAME_MS, FRAME_SAMPLES
from u2u_hf.transcription.windows import Windows

_FRAME_STEP_MS = STRIDE * 1000 // SAMPLING_RATE


class WordDetector:
    """A `SpeechDetector` for what Silero takes for no speech: sung, whistled, far away.

    It recognises the whole recording once, in windows. The log-probabilities are kept in a temporary file, from which
    `log_probs` gives those of each segment; memory holds one block and the best label of each frame. Five hours of one
    channel with 60 labels take 4 MB of memory and 108 MB of disk.
    """

    def __init__(self, recognizer: Recognizer, channels: int):
        self._recognizer = recognizer
        self._channels = [_Channel(recognizer.labels) for _ in range(channels)]
        self._samples = 0

    def add(self, block: np.ndarray) -> None:
        """Take the next block, float32 [C, N] at 16 kHz."""
        self._samples += block.shape[1]
        cut = [(channel, *cut) for channel, row in zip(self._channels, block, strict=True) for cut in channel.cut(row)]
        self._recognise(cut)

    def probabilities(self) -> np.ndarray:
        """Return 1 for each frame of 32 ms within a word, else 0, after the last block: float32 [C, F]."""
        self._recognise([(channel, *channel.windows.end()) for channel in self._channels])
        return np.stack([channel.within_words(-(-self._samples // FRAME_SAMPLES)) for channel in self._channels])

    def log_probs(self, segment: Segment) -> tuple[np.ndarray, int]:
        """Return the log-probabilities float32 [T, V] of the frames inside a segment, and where they begin (ms)."""
        return self._channels[segment.channel].read(segment.start_ms, segment.end_ms)

    def _recognise(self, windows: list[tuple[_Channel, np.ndarray, slice]]) -> None:
        with ThreadPoolExecutor(self._recognizer.parallel_calls) as pool:
            found = pool.map(self._recognizer.log_probs, [window for _, window, _ in windows])
            for (channel, _, kept), rows in zip(windows, found, strict=True):
                channel.write(rows[kept])


class _Channel:
    """The frames of one channel: log-probabilities in a file, best labels in memory."""

    def __init__(self, labels: Labels):
        self.windows = Windows()
        self._labels = labels
        self._row_bytes = 2 * len(labels.symbols)
        self._best: list[np.ndarray] = []
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (deleted with the detector)
        self._lock = threading.Lock()

    def cut(self, samples: np.ndarray) -> list[tuple[np.ndarray, slice]]:
        return list(self.windows.add(samples))

    def write(self, rows: np.ndarray) -> None:
        self._best.append(rows.argmax(1).astype(np.uint16))
        try:
            # float16 is exact to 0.05%: a probability of 0.900 may come back as 0.9001.
            self._file.write(rows.astype(np.float16).tobytes())
        except OSError as error:
            folder = tempfile.gettempdir()
            raise U2UError(f"{folder}: is full ({error.strerror}): free space there, or set TMPDIR") from error

    def read(self, start_ms: int, end_ms: int) -> tuple[np.ndarray, int]:
        lead_ms = frame_start_ms(0)
        first = max(0, -(-(start_ms - lead_ms) // _FRAME_STEP_MS))
        count = max(0, (end_ms - lead_ms) // _FRAME_STEP_MS - first)
        with self._lock:
            self._file.seek(first * self._row_bytes)
            data = self._file.read(count * self._row_bytes)
        rows = np.frombuffer(data, dtype=np.float16).reshape(-1, len(self._labels.symbols))
        return rows.astype(np.float32), first * _FRAME_STEP_MS

    def within_words(self, frames: int) -> np.ndarray:
        """Return 1 in each of `frames` frames of 32 ms that a word reaches into, else 0: float32 [F]."""
        found = np.zeros(frames, dtype=np.float32)
        for first, last in _word_spans(np.concatenate(self._best), self._labels):
            found[frame_start_ms(first) // FRAME_MS : -(-frame_end_ms(last) // FRAME_MS)] = 1
        return found


def _word_spans(best: np.ndarray, labels: Labels) -> list[tuple[int, int]]:
    """Return the first and last frame of each word, as `greedy_words` has them, of the best label of each frame [T]."""
    delimiter = np.array([symbol == DELIMITER for symbol in labels.symbols])[best]
    characters = np.flatnonzero(~delimiter & (best != labels.blank))
    if not len(characters):
        return []
    word = np.cumsum(delimiter)[characters]
    starts = np.flatnonzero(np.diff(word, prepend=-1))
    ends = np.append(starts[1:], len(characters)) - 1
    return list(zip(characters[starts].tolist(), characters[ends].tolist(), strict=True))
