"""The metrics in the form that transformers' Trainer asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from transformers import EvalPrediction

from u2u_hf.evaluation.metrics import scores_with_intervals
from u2u_hf.recognition.decoding import DELIMITER, Labels, collapse


def trainer_metrics(labels: Labels, show: Callable[[Sequence[str], Sequence[str]], None] | None = None) -> Callable:
    """Return a Trainer's `compute_metrics`, which gives what `scores_with_intervals` gives.

    Its predictions are label indices [B, T], its references label indices [B, L], both padded with -100.

    Args:
        show: called with hypotheses and references at each evaluation.
    """

    def compute(prediction: EvalPrediction) -> dict[str, float]:
        paths = np.where(prediction.predictions < 0, labels.blank, prediction.predictions)
        hypotheses = [collapse(path, labels) for path in paths]
        references = [_text(row, labels) for row in prediction.label_ids]
        if show:
            show(hypotheses, references)
        return scores_with_intervals(hypotheses, references)

    return compute


def _text(row: np.ndarray, labels: Labels) -> str:
    """Return the text of a reference: unlike a path, its repeated labels are double letters."""
    return " ".join("".join(labels.symbols[label] for label in row if label >= 0).replace(DELIMITER, " ").split())
