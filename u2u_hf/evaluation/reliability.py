"""How well confidence tells errors: which words are wrong, which segments, and how many errors there will be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from u2u_hf.evaluation.calibration_fit import Compared
from u2u_hf.recognition.calibration import Calibration, length
from u2u_hf.recognition.confidence_features import SEGMENT_FEATURES

_BINS = 10
_DIGITS = 4


def reliability(utterances: Sequence[Compared], calibration: Calibration | None) -> dict[str, Any]:
    """Return how well confidence tells the errors of recognised utterances, as plain values for JSON.

    Args:
        calibration: of the recogniser, or None.

    Returns:
        ``words`` and ``wrong_words``; ``errors``, the character edits of all utterances; and ``raw`` and
        ``calibrated`` (None without a calibration), each with ``words_auc``, the area under the curve of finding wrong
        words; ``segments_auc``, that of finding utterances with a character error rate above that of all (None where
        all are alike); ``expected_errors``, to compare with ``errors``; and ``bins``, of words by their chance:
        the mean ``chance``, the share that is ``right``, and the number of ``words``.
    """
    right = np.concatenate([item.right for item in utterances])
    errors = np.array([item.errors for item in utterances])
    references = np.array([item.reference for item in utterances])
    worse = errors * references.sum() > errors.sum() * references
    raw_words = [np.exp(item.features[:, 0]) for item in utterances]
    doubts = [1 - _confidence(item) for item in utterances]
    promised = sum(float(item.sums[SEGMENT_FEATURES.index("raw")]) for item in utterances)
    found = {"words": len(right), "wrong_words": int((~right).sum()), "errors": int(errors.sum())}
    found["raw"] = _told(right, np.concatenate(raw_words), worse, np.array(doubts), promised)
    found["calibrated"] = None
    if calibration:
        chances = [calibration.chances(item.features) for item in utterances]
        expected = np.array(
            [
                calibration.expected_errors(item.with_chances(own), item.characters)
                for item, own in zip(utterances, chances, strict=True)
            ]
        )
        rates = expected / [length(item.characters) for item in utterances]
        found["calibrated"] = _told(right, np.concatenate(chances), worse, rates, float(expected.sum()))
    return found


def _confidence(item: Compared) -> float:
    """Return a segment's raw confidence, see `recognition.decoding.confidence`."""
    if not len(item.lengths):
        return 0.0
    return float(np.exp((item.features[:, 0] * item.lengths).sum() / item.lengths.sum()))


def _told(
    right: np.ndarray, chances: np.ndarray, worse: np.ndarray, doubts: np.ndarray, expected: float
) -> dict[str, Any]:
    bins = np.minimum((chances * _BINS).astype(int), _BINS - 1)
    return {
        "words_auc": _auc(~right, 1 - chances),
        "segments_auc": _auc(worse, doubts),
        "expected_errors": round(expected, 1),
        "bins": [
            {
                "chance": round(float(chances[bins == number].mean()), _DIGITS),
                "right": round(float(right[bins == number].mean()), _DIGITS),
                "words": int((bins == number).sum()),
            }
            for number in range(_BINS)
            if (bins == number).any()
        ],
    }


def _auc(wrong: np.ndarray, doubts: np.ndarray) -> float | None:
    return round(float(roc_auc_score(wrong, doubts)), _DIGITS) if 0 < wrong.sum() < len(wrong) else None
