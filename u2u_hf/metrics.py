"""Word and character error rates, as metrics of `evaluate` that need no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import datasets
import evaluate
import jiwer
import numpy as np

from u2u_hf.decode import Labels, collapse

_FEATURES = datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})
_CITATION = "https://github.com/jitsi/jiwer"


def _rate(measure: Callable, predictions: Sequence[str], references: Sequence[str]) -> float:
    """Errors over the length of the references, in all; empty references take no part but for insertions."""
    errors = length = 0
    for prediction, reference in zip(predictions, references, strict=True):
        if not reference.strip():  # jiwer has no rate for these: everything said is an insertion
            errors += len(prediction.split()) if measure is jiwer.process_words else len(prediction)
            continue
        result = measure(reference, prediction)
        errors += result.substitutions + result.deletions + result.insertions
        length += result.substitutions + result.deletions + result.hits
    return errors / length if length else float(errors > 0)


class _Rate(evaluate.Metric):
    description = ""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.description, citation=_CITATION, inputs_description="strings", features=_FEATURES
        )


class Wer(_Rate):
    """Word error rate: 0 is perfect; can pass 1 when more is heard than was said."""

    description = "word error rate"

    def _compute(self, predictions, references) -> dict[str, float]:
        return {"wer": _rate(jiwer.process_words, predictions, references)}


class Cer(_Rate):
    """Character error rate, spaces included."""

    description = "character error rate"

    def _compute(self, predictions, references) -> dict[str, float]:
        return {"cer": _rate(jiwer.process_characters, predictions, references)}


def error_rates(predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """``{"wer": …, "cer": …}`` over all pairs, 0…1 and above."""
    scores = evaluate.combine([Wer(), Cer()])
    return scores.compute(predictions=list(predictions), references=list(references))


def trainer_metrics(labels: Labels, show: Callable[[Sequence[str], Sequence[str]], None] | None = None) -> Callable:
    """A Trainer's `compute_metrics`: predictions are label indices [B, T], -100 where padded."""

    def compute(prediction) -> dict[str, float]:
        paths = np.where(prediction.predictions < 0, labels.blank, prediction.predictions)
        hypotheses = [collapse(path, labels) for path in paths]
        references = [
            " ".join("".join(labels.symbols[i] for i in row if i >= 0).replace("|", " ").split())
            for row in prediction.label_ids
        ]
        if show:
            show(hypotheses, references)
        return error_rates(hypotheses, references)

    return compute
