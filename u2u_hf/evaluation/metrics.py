"""The registry of metrics, and how errors are counted.

To add a metric, add it to `METRICS`: it then appears in the training log and curves, in metrics.json and
evaluation.html, and on the model's card. A metric is an error rate (errors over length, lower is better), so that one
bootstrap gives every metric its confidence interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import jiwer
import numpy as np

# Units in which two texts are compared: words, or characters with the spaces between words.
Units = Callable[[str, str], jiwer.WordOutput | jiwer.CharacterOutput]
WORDS: Units = jiwer.process_words
CHARACTERS: Units = jiwer.process_characters


def aligned(reference: str, hypothesis: str, units: Units) -> list[tuple[str, str]]:
    """Return pairs of reference and hypothesis units with the fewest errors; "" where one side has no unit.

    Often several alignments have equally few errors; this is one of them.
    """
    if not reference.strip():  # jiwer refuses an empty reference: every unit of the hypothesis is an insertion
        return [("", inserted) for inserted in (hypothesis.split() if units is WORDS else hypothesis.strip())]
    result = units(reference, hypothesis)
    pairs: list[tuple[str, str]] = []
    for chunk in result.alignments[0]:
        left = result.references[0][chunk.ref_start_idx : chunk.ref_end_idx]
        right = result.hypotheses[0][chunk.hyp_start_idx : chunk.hyp_end_idx]
        pairs += zip(left or [""] * len(right), right or [""] * len(left), strict=True)
    return pairs


def error_counts(hypotheses: Sequence[str], references: Sequence[str], units: Units) -> np.ndarray:
    """Return for each utterance its Levenshtein distance and the length of its reference, int64 [N, 2], in `units`."""
    alignments = [aligned(*texts, units) for texts in zip(references, hypotheses, strict=True)]
    counts = [(sum(a != b for a, b in pairs), sum(a != "" for a, _ in pairs)) for pairs in alignments]
    return np.array(counts, dtype=np.int64).reshape(-1, 2)


def rate(counts: np.ndarray) -> np.ndarray:
    """Return errors over length, float64 […], for counts […, 2]; of length 0, 1 where there are errors, else 0."""
    errors, length = counts[..., 0], counts[..., 1]
    return np.where(length > 0, errors / np.maximum(length, 1), errors > 0)


@dataclass(frozen=True)
class Metric:
    """An error rate.

    Attributes:
        label: its name on pages: ``CER``.
        unit: what is counted, in the plural: ``characters``.
        counts: hypotheses, references → int64 [N, 2], the errors and the length of each utterance.
    """

    label: str
    unit: str
    counts: Callable[[Sequence[str], Sequence[str]], np.ndarray]


# By the key in metrics.json. Add a new metric at the end: the score tables of older cards then lack only its column.
METRICS: dict[str, Metric] = {
    "wer": Metric("WER", "words", partial(error_counts, units=WORDS)),
    "cer": Metric("CER", "characters", partial(error_counts, units=CHARACTERS)),
}
# Chooses the best checkpoint, orders speakers, comes first on pages: on little text it varies least.
MAIN = "cer"


def main_first() -> dict[str, Metric]:
    """Return the metrics, the main one first."""
    return {MAIN: METRICS[MAIN], **METRICS}


def score_keys(name: str) -> tuple[str, str, str]:
    """Return the keys of a metric's score and of its confidence interval: ``cer``, ``cer_low``, ``cer_high``."""
    return name, f"{name}_low", f"{name}_high"


def scores_with_intervals(
    hypotheses: Sequence[str], references: Sequence[str], samples: int = 1000, seed: int = 0
) -> dict[str, float]:
    """Return every metric over all utterances (at least one), with its 95% confidence interval.

    The interval is a bootstrap's: percentiles of the scores of `samples` test sets of the same size, drawn from this
    one by utterance, with replacement (Bisani and Ney 2004, Bootstrap estimates for confidence intervals in ASR
    performance evaluation).

    Returns:
        the `score_keys` of each metric; 0…1 and above.
    """
    counts = np.stack([metric.counts(hypotheses, references) for metric in METRICS.values()], 1)  # [N, metrics, 2]
    random, n = np.random.default_rng(seed), len(counts)
    drawn = np.stack([counts[random.integers(n, size=n)].sum(0) for _ in range(samples)])
    low, high = np.quantile(rate(drawn), (0.025, 0.975), axis=0)
    return {
        key: float(value)
        for name, *values in zip(METRICS, rate(counts.sum(0)), low, high, strict=True)
        for key, value in zip(score_keys(name), values, strict=True)
    }


def error_rates(predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return every metric over all pairs: ``{"wer": …, "cer": …}``, 0…1 and above."""
    # Imported here: `evaluate` imports transformers' pipelines, which takes seconds, and most programs that import this
    # module count errors without it.
    from u2u_hf.evaluation.library_metrics import LibraryMetric, compute

    def score(metric: Metric) -> Callable[[Sequence[str], Sequence[str]], float]:
        return lambda hypotheses, references: float(rate(metric.counts(hypotheses, references).sum(0)))

    metrics = [LibraryMetric(name, metric.unit, score(metric)) for name, metric in METRICS.items()]
    return compute(metrics, list(predictions), list(references))


def in_percent(scores: Mapping[str, float], prefix: str = "") -> str:
    """Return the scores on one line: ``CER 12.3%, WER 45.6%``; `prefix` is that of the keys, such as ``eval_``."""
    found = {metric.label: scores.get(f"{prefix}{name}") for name, metric in main_first().items()}
    return ", ".join(f"{label} {score:.1%}" for label, score in found.items() if score is not None)
