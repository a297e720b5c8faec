"""How much a language model weighs, found on the validation split; and whether it helps at all."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
from tqdm.auto import tqdm

from u2u_hf.evaluation.metrics import CHARACTERS, error_counts, rate
from u2u_hf.recognition.beam_search import best_text
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.language_model import LanguageModel

WEIGHTS = (0.2, 0.4, 0.7, 1.0, 1.5)
BONUSES = (0.0, 0.5, 1.0, 2.0)
# Of frames, 20 ms each: on 10 minutes of speech the best weights are seen well enough.
_FRAMES = 30_000


def tune(
    heard: Sequence[np.ndarray], references: Sequence[str], labels: Labels, model: LanguageModel
) -> tuple[LanguageModel, float, float]:
    """Try weights and bonuses on the first ten minutes of a split, and the best of them on all of it.

    Args:
        heard: the recogniser's log-probabilities [T, V] of each utterance. references: what was said in each.

    Returns:
        the language model with the best weight and bonus; the split's character error rate with it, and without.
    """
    ends = np.cumsum([len(rows) for rows in heard])
    few = slice(0, max(1, int((ends <= _FRAMES).sum())))
    tried = [
        dataclasses.replace(model, weight=weight, bonus=bonus) for weight, bonus in itertools.product(WEIGHTS, BONUSES)
    ]
    rates = [_cer(heard[few], references[few], labels, each) for each in tqdm(tried, desc="weighing", unit="setting")]
    best = tried[int(np.argmin(rates))]
    return best, _cer(heard, references, labels, best), _cer(heard, references, labels, None)


def _cer(heard: Sequence[np.ndarray], references: Sequence[str], labels: Labels, model: LanguageModel | None) -> float:
    texts = [best_text(rows, labels, model) for rows in heard]
    return float(rate(error_counts(texts, references, CHARACTERS).sum(0)))
