"""Samples to the inputs of a model, by the kind of its feature extractor.

Every kind gives 50 frames a second; they differ in the receptive field of a frame, in samples, which decides how many
frames a sound has and where they lie (`u2u_hf.frames`). Nothing here imports torch or transformers: an exported model
takes samples, and needs no extractor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from u2u_hf.frames import RECEPTIVE_FIELD, SAMPLING_RATE, STRIDE, frame_count
from u2u_hf.records import U2UError

if TYPE_CHECKING:
    import torch

_HOP, _WINDOW = 160, 400  # samples of a log-mel frame: 10 and 25 ms
_MIN_FRAMES = 10  # of a batch: transformers' masking refuses fewer
_TINY = 1e-7  # of Wav2Vec2FeatureExtractor, added to the variance


class Inputs(Protocol):
    """What a kind of feature extractor makes of samples.

    Attributes:
        extractor: name of the class of transformers, which model folders give as ``feature_extractor_type``.
        receptive_field: samples behind one frame of the model.
        normalised: whether the exported model takes samples that are normalised as the extractor says. Otherwise its
            graph does all that the extractor does, and it takes the samples as they are.
    """

    extractor: str
    receptive_field: int
    normalised: bool

    def batch(self, extractor: Any, signals: Sequence[np.ndarray], shortest: int = 0) -> dict[str, torch.Tensor]:
        """Return the model's arguments for samples [N] of several lengths, padded to the longest and to `shortest`."""

    def single(self, extractor: Any, samples: np.ndarray) -> np.ndarray:
        """Return the model's main argument for samples [N], without the dimension of the batch."""


class _Samples:
    """Samples, normalised to mean 0 and variance 1 if the extractor says so: [N]."""

    extractor = "Wav2Vec2FeatureExtractor"
    receptive_field = RECEPTIVE_FIELD
    normalised = True

    def batch(self, extractor, signals, shortest=0):
        length = max(shortest, *map(len, signals))
        padded = {"padding": "max_length", "max_length": length, "return_tensors": "pt"}
        return dict(extractor(list(signals), sampling_rate=SAMPLING_RATE, **padded))

    def single(self, extractor, samples):
        return extractor(samples, sampling_rate=SAMPLING_RATE).input_values[0]


class _OneChannel(_Samples):
    """The same with a dimension for the channel [1, N], and a mask of its own name."""

    extractor = "OmniASRFeatureExtractor"
    normalised = False  # it adds more to the variance than other extractors, which quiet recordings notice

    def single(self, extractor, samples):
        return extractor(samples, sampling_rate=SAMPLING_RATE).input_values[0].numpy()


class _LogMel:
    """Pairs of log-mel frames, each of 25 ms every 10 ms: [T, 160].

    The extractor would add half a pair of padding where the number of frames is odd; the last frame is dropped here.
    """

    extractor = "SeamlessM4TFeatureExtractor"
    receptive_field = _WINDOW + _HOP
    normalised = False

    def batch(self, extractor, signals, shortest=0):
        pairs = frame_count(max(shortest, *map(len, signals)), self.receptive_field)
        padded = {"padding": "max_length", "max_length": 2 * pairs, "truncation": True, "pad_to_multiple_of": None}
        return dict(extractor(list(signals), sampling_rate=SAMPLING_RATE, **padded, return_tensors="pt"))

    def single(self, extractor, samples):
        return self.batch(extractor, [samples])["input_features"][0].numpy()


SAMPLES, ONE_CHANNEL, LOG_MEL = KINDS = (_Samples(), _OneChannel(), _LogMel())


def inputs_of(extractor: Any) -> Inputs:
    """Return what an extractor of transformers makes of samples.

    Raises:
        U2UError: it is of another kind.
    """
    for kind in KINDS:
        if is_of(extractor, kind):
            return kind
    known = ", ".join(kind.extractor for kind in KINDS)
    raise U2UError(f"the model's feature extractor is {type(extractor).__name__}: take a model with one of {known}")


def batch_to_learn_from(extractor: Any, signals: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
    """Return the model's arguments for samples [N] of several lengths, long enough for masking in transformers.

    Raises:
        U2UError: the extractor is of an unknown kind.
    """
    inputs = inputs_of(extractor)
    return inputs.batch(extractor, signals, (_MIN_FRAMES - 1) * STRIDE + inputs.receptive_field)


def is_of(extractor: Any, kind: Inputs) -> bool:
    """Return whether an extractor is of a kind."""
    return kind.extractor in (parent.__name__ for parent in type(extractor).__mro__)


def input_of_export(samples: np.ndarray, normalise: bool) -> np.ndarray:
    """Return what an exported model takes for samples: float32 [N] → float32 [N].

    Args:
        normalise: whether the model takes normalised samples (`Inputs.normalised`) and its extractor normalises
            (``do_normalize``): mean 0 and variance 1, the same numbers as Wav2Vec2FeatureExtractor gives.
    """
    return (samples - samples.mean()) / np.sqrt(samples.var() + _TINY) if normalise else samples
