"""A trained model for inference: samples in, log-probabilities of characters for each frame out."""

from __future__ import annotations

import ctypes
import os
import sys

import numpy as np

from u2u_hf.memory import memory_problem
from u2u_hf.recognition import onnx_model
from u2u_hf.recognition.decoding import Labels, log_softmax
from u2u_hf.recognition.engine import TWO_FRAMES, Engine
from u2u_hf.recognition.gpu import has_gpu
from u2u_hf.records import U2UError

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of glibc's malloc.h


class Recognizer:
    """A fine-tuned model with its vocabulary: float16 in torch on a GPU, otherwise the ONNX export if there is one.

    There are no batches: padding changes the output of models with group norm (mHuBERT-147), and on a CPU batches are
    not faster: call `log_probs` from `parallel_calls` threads there.

    Attributes:
        labels: the output labels.
        engine: the library and file that compute, for messages.
        parallel_calls: number of threads that should call `log_probs` at once; each needs memory.
    """

    labels: Labels
    engine: str
    parallel_calls: int

    def __init__(self, source: str | os.PathLike[str]):
        """Args: source: folder or Hub name. Raises U2UError: see `u2u_hf.recognition.model.load_trained`."""
        self._source = str(source)
        path = None if has_gpu() else onnx_model.exported(self._source)
        self._engine = onnx_model.load(self._source, path) if path else self._in_torch()
        self.labels, self.engine = self._engine.labels, self._engine.name
        self.parallel_calls = self._engine.parallel_calls

    def _in_torch(self) -> Engine:
        """Return the model in torch, after it has recognised two frames: damaged settings load too, and fail later.

        Raises:
            U2UError: torch is not installed, or the model cannot be loaded or fails.
        """
        try:
            from u2u_hf.recognition import torch_model  # takes seconds
        except ImportError as error:
            raise U2UError(
                f"{self._source}: has no export, and torch is not installed: export it with recipes/export.py on a "
                "computer with torch"
            ) from error
        engine = torch_model.load(self._source)
        noise = np.random.default_rng(0).standard_normal(TWO_FRAMES).astype(np.float32)
        try:
            found = self._log_probs(engine, noise)
        except Exception as error:  # of several libraries
            problem = memory_problem(error) or "its settings or weights are damaged: copy or download the model again"
            raise U2UError(f"{self._source}: cannot recognise anything: {problem}") from error
        if found.shape != (2, len(engine.labels.symbols)):
            raise U2UError(f"{self._source}: gives no probabilities of characters: copy or download the model again")
        return engine

    def log_probs(self, samples: np.ndarray) -> np.ndarray:
        """Return float32 [T, V], natural log, for float32 samples [N] at 16 kHz; T is `frames.frame_count(N, …)`.

        Raises:
            U2UError: the model gives NaN.
        """
        return self._log_probs(self._engine, samples)

    def _log_probs(self, engine: Engine, samples: np.ndarray) -> np.ndarray:
        if len(samples) < engine.receptive_field:
            return np.zeros((0, len(engine.labels.symbols)), dtype=np.float32)
        found = log_softmax(engine.logits(engine.input(samples)))
        if np.isnan(found).any():
            raise U2UError(f"{self._source}: gives NaN: its weights are damaged: copy or download the model again")
        return found

    def release_memory(self) -> None:
        """Release memory cached by the last inference; for servers, before the first recording and between two.

        The next inference is slower: within a recording, keep the cache.
        """
        self._engine.release()
        if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
            # From now on glibc maps large arrays one by one and keeps one heap, not one per thread.
            libc.mallopt(_M_MMAP_THRESHOLD, 1 << 20)
            libc.mallopt(_M_ARENA_MAX, 1)
            libc.malloc_trim(0)  # otherwise freed memory stays with the process
