"""A trained model that hears: samples in, log-probabilities of characters for each frame out."""

from __future__ import annotations

import os

import numpy as np
import torch

from u2u_hf.decode import Labels
from u2u_hf.frames import RECEPTIVE_FIELD, SAMPLING_RATE
from u2u_hf.model import labels_of, load_trained


class Recognizer:
    """A fine-tuned HuBERT with its vocabulary, on a GPU if there is one.

    One stretch is recognised at a time: group-norm models (mHuBERT-147) change their output when padded.

    Attributes:
        labels: what the outputs stand for.
    """

    def __init__(self, source: str | os.PathLike[str]):
        """Args: source: folder or Hub name. Raises U2UError: see `u2u_hf.model.load_trained`."""
        model, processor = load_trained(str(source))
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.to(self._device)
        self._extractor = processor.feature_extractor
        self.labels: Labels = labels_of(processor.tokenizer)

    def log_probs(self, samples: np.ndarray) -> np.ndarray:
        """float32 [T, V], natural log, for float32 samples [N] at 16 kHz; T is `frames.frame_count(N)`."""
        if len(samples) < RECEPTIVE_FIELD:
            return np.zeros((0, len(self.labels.symbols)), dtype=np.float32)
        inputs = self._extractor(samples, sampling_rate=SAMPLING_RATE, return_tensors="pt").input_values
        with torch.inference_mode():
            logits = self._model(inputs.to(self._device)).logits[0]
        return torch.log_softmax(logits.float(), -1).cpu().numpy()
