"""How a time budget is divided between the trainings, after what recognition needs."""

from __future__ import annotations

import time

import numpy as np
import psutil

from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.recognition import torch_model
from u2u_hf.records import U2UError
from u2u_hf.settings import duration, seconds_of
from u2u_hf.training.awake_clock import awake_clock
from u2u_hf.training.run import LEAST_SECONDS

_TRIAL_S = 10  # of noise
_MARGIN = 1.5  # decoding, reading, other programs


def share(time_budget: str, folds: int, other_s: float) -> int:
    """Return the whole seconds of each training.

    Args:
        other_s: seconds that all else takes.

    Raises:
        U2UError: they are too few.
    """
    seconds = int((seconds_of(time_budget) - other_s) // folds)
    if seconds < LEAST_SECONDS:
        least = duration(60 * -int(-(LEAST_SECONDS * folds + other_s) // 60))
        fewer = ", or lower --folds" if folds > 2 else ""
        raise U2UError(f"--time_budget {time_budget}: is too short for {folds} trainings: give {least} or more{fewer}")
    return seconds


def seconds_since_start() -> float:
    """Return the seconds since this process started, which a time budget counts too."""
    return awake_clock()() - psutil.Process().create_time()


def recognition_seconds(model: str, speech_s: float) -> float:
    """Return about how many seconds a model takes in torch, as each fold's will, for so many seconds of speech.

    Raises:
        U2UError: the model cannot be loaded.
    """
    engine = torch_model.load(model)
    noise = np.random.default_rng(0).standard_normal(_TRIAL_S * SAMPLING_RATE).astype(np.float32)
    taken = []
    for _ in range(2):  # the first warms up
        begun = time.perf_counter()
        engine.logits(engine.input(noise))
        taken.append(time.perf_counter() - begun)
    return _MARGIN * min(taken) / _TRIAL_S * speech_s
