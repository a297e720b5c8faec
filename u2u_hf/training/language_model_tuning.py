"""The weight and the bonus of a language model, chosen on the validation split."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from u2u_hf.data.audio import decode_mono
from u2u_hf.evaluation.metrics import CHARACTERS, error_counts, rate
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition.beam_search import best_text
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer

WEIGHTS = (0.2, 0.4, 0.7, 1.0, 1.5)
BONUSES = (0.0, 0.5, 1.0, 2.0)
# 20 ms each: 10 minutes of speech are enough to choose.
_FRAMES = 30_000


def recognise(recognizer: Recognizer, split: Dataset) -> list[np.ndarray]:
    """Return the log-probabilities, float32 [T, V], of each utterance of a split.

    Raises:
        U2UError: an utterance's audio cannot be decoded.
    """
    audio = progress_bar(split["audio"], desc="recognising", unit="utterance")
    return [recognizer.log_probs(decode_mono(item["bytes"], item["path"] or "audio")) for item in audio]


def tune(
    log_probs: Sequence[np.ndarray], references: Sequence[str], labels: Labels, language_model: LanguageModel
) -> tuple[LanguageModel, float, float]:
    """Choose weight and bonus on the first ten minutes of a split, and score them on all of it.

    Args:
        log_probs: float32 [T, V] of each utterance.

    Returns:
        the language model with the best weight and bonus; the split's character error rate with it, and without.
    """
    ends = np.cumsum([len(rows) for rows in log_probs])
    few = slice(0, max(1, int((ends <= _FRAMES).sum())))
    candidates = [
        dataclasses.replace(language_model, weight=weight, bonus=bonus)
        for weight, bonus in itertools.product(WEIGHTS, BONUSES)
    ]
    progress = progress_bar(candidates, desc="tuning", unit="setting")
    rates = [_cer(log_probs[few], references[few], labels, each) for each in progress]
    best = candidates[int(np.argmin(rates))]
    return best, _cer(log_probs, references, labels, best), _cer(log_probs, references, labels, None)


def _cer(
    log_probs: Sequence[np.ndarray], references: Sequence[str], labels: Labels, language_model: LanguageModel | None
) -> float:
    texts = [best_text(rows, labels, language_model) for rows in log_probs]
    return float(rate(error_counts(texts, references, CHARACTERS).sum(0)))
