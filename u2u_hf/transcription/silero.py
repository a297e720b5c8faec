"""Silero VAD: a small network that finds speech in sound.

It takes 512 samples (32 ms) at a time with the 64 samples before them. Its ONNX form for sequences takes many such
frames in one call and returns its state for the next call. The package's own wrapper takes one frame a call, in torch.
"""

from __future__ import annotations

import importlib.util
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime

from u2u_hf.records import U2UError
from u2u_hf.transcription.voice_detection import FRAME_SAMPLES

_CONTEXT = 64
_STATE = (1, 1, 128)
_THREADS = 2


def network() -> Path:
    """Return the path of the network in ONNX, in the package silero-vad.

    Raises:
        U2UError: the package is not installed.
    """
    # Not with importlib.resources, which would import the package, and with it torch, which takes seconds.
    package = importlib.util.find_spec("silero_vad")
    if package is None or not package.submodule_search_locations:
        raise U2UError("silero-vad, which finds speech, is not installed: pip install silero-vad")
    return Path(package.submodule_search_locations[0], "data", "silero_vad_16k_sequence.onnx")


class SileroDetector:
    """A `SpeechDetector` for speech as Silero was trained on it: not sung, not whistled, not far away."""

    log_probs = None

    def __init__(self, channels: int):
        self._channels = [SileroChannel() for _ in range(channels)]
        self._found: list[list[np.ndarray]] = [[] for _ in range(channels)]

    def add(self, block: np.ndarray) -> None:
        """Take the next block, float32 [C, N] at 16 kHz."""
        with ThreadPoolExecutor(_THREADS) as pool:
            for found, row in zip(self._found, pool.map(SileroChannel.add, self._channels, block), strict=True):
                found.append(row)

    def probabilities(self) -> np.ndarray:
        """Return the probability of speech in each frame of 32 ms: float32 [C, F], 0…1."""
        return np.stack([np.concatenate(found) for found in self._found])


class SileroChannel:
    """The network's state in one channel."""

    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(network(), options, providers=["CPUExecutionProvider"])
        self._state = [np.zeros(_STATE, dtype=np.float32) for _ in range(2)]
        self._context = np.zeros(_CONTEXT, dtype=np.float32)

    def add(self, samples: np.ndarray) -> np.ndarray:
        """Return the probability of speech in each frame of the next samples.

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
