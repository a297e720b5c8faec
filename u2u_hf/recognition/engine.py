"""What computes a recogniser's log-probabilities: torch, or onnxruntime with an exported model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from u2u_hf.data.inputs import KINDS
from u2u_hf.frames import STRIDE
from u2u_hf.recognition.decoding import Labels

Logits = Callable[[np.ndarray], np.ndarray]  # one input of `u2u_hf.data.inputs`, float32 → logits float32 [T, V]
TWO_FRAMES = max(kind.receptive_field for kind in KINDS) + STRIDE  # samples, of every kind of inputs


@dataclass(frozen=True)
class Engine:
    """A loaded recogniser.

    Attributes:
        name: the library and file that compute, for messages.
        labels: the output labels.
        receptive_field: samples behind one frame.
        input: float32 samples [N] at 16 kHz → what `logits` takes.
        logits: see `Logits`.
        parallel_calls: number of threads that should call at once; each needs memory.
        release: releases memory that the library keeps for the next inference.
    """

    name: str
    labels: Labels
    receptive_field: int
    input: Callable[[np.ndarray], np.ndarray]
    logits: Logits
    parallel_calls: int
    release: Callable[[], object]
