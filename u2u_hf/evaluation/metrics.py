"""Word and character error rates, as metrics of `evaluate` that need no network, and where the errors are.

An error rate is the Levenshtein distance from what was said to what was heard, in words or in characters, over the
length of what was said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import datasets
import evaluate
import jiwer
import numpy as np

from u2u_hf.recognition.decoding import Labels, collapse

_FEATURES = datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")})
_CITATION = "https://github.com/jitsi/jiwer"
# What a text is compared by: words, or characters with the spaces between words.
Units = Callable[[str, str], jiwer.WordOutput | jiwer.CharacterOutput]
WORDS: Units = jiwer.process_words
CHARACTERS: Units = jiwer.process_characters


def aligned(reference: str, hypothesis: str, units: Units) -> list[tuple[str, str]]:
    """Words or characters side by side, said and heard, with as few errors as can be; "" where there is none.

    Often there are several such alignments; this is one of them.
    """
    if not reference.strip():  # which jiwer refuses: all that was heard is too much
        return [("", heard) for heard in (hypothesis.split() if units is WORDS else hypothesis.strip())]
    result = units(reference, hypothesis)
    pairs: list[tuple[str, str]] = []
    for chunk in result.alignments[0]:
        said = result.references[0][chunk.ref_start_idx : chunk.ref_end_idx]
        heard = result.hypotheses[0][chunk.hyp_start_idx : chunk.hyp_end_idx]
        pairs += zip(said or [""] * len(heard), heard or [""] * len(said), strict=True)
    return pairs


def error_counts(hypotheses: Sequence[str], references: Sequence[str], units: Units) -> np.ndarray:
    """int64 [N, 2]: of each utterance its errors and the length of its reference, in `units`."""
    both = [aligned(said, heard, units) for said, heard in zip(references, hypotheses, strict=True)]
    counts = [(sum(a != b for a, b in pairs), sum(a != "" for a, _ in pairs)) for pairs in both]
    return np.array(counts, dtype=np.int64).reshape(-1, 2)


def rate(counts: np.ndarray) -> np.ndarray:
    """Errors over length, float64 […], from counts […, 2]; over no length, 1 if anything was heard."""
    errors, length = counts[..., 0], counts[..., 1]
    return np.where(length > 0, errors / np.maximum(length, 1), errors > 0)


def scores_with_intervals(
    hypotheses: Sequence[str], references: Sequence[str], samples: int = 1000, seed: int = 0
) -> dict[str, float]:
    """Error rates over all utterances, at least one, with their 95% confidence intervals.

    The intervals are percentiles of the rates of `samples` test sets of the same size, drawn from this one with
    replacement, utterance by utterance (Bisani and Ney 2004, Bootstrap estimates for confidence intervals in ASR
    performance evaluation).

    Returns:
        ``wer``, ``wer_low``, ``wer_high``, ``cer``, ``cer_low``, ``cer_high``; 0…1 and above.
    """
    counts = np.stack([error_counts(hypotheses, references, units) for units in (WORDS, CHARACTERS)], 1)  # [N, 2, 2]
    random, n = np.random.default_rng(seed), len(counts)
    drawn = np.stack([counts[random.integers(n, size=n)].sum(0) for _ in range(samples)])
    low, high = np.quantile(rate(drawn), (0.025, 0.975), axis=0)
    return {
        name: float(value)
        for unit, of_all, *ends in zip(("wer", "cer"), rate(counts.sum(0)), low, high, strict=True)
        for name, value in zip((unit, f"{unit}_low", f"{unit}_high"), (of_all, *ends), strict=True)
    }


class _Rate(evaluate.Metric):
    name_of_rate = description = ""
    units: Units

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.description, citation=_CITATION, inputs_description="strings", features=_FEATURES
        )

    def _compute(self, predictions, references) -> dict[str, float]:
        counts = error_counts(predictions, references, type(self).units)
        return {self.name_of_rate: float(rate(counts.sum(0)))}


class Wer(_Rate):
    """Word error rate: 0 is perfect; can pass 1 when more is heard than was said."""

    name_of_rate, description, units = "wer", "word error rate", WORDS


class Cer(_Rate):
    """Character error rate, spaces included."""

    name_of_rate, description, units = "cer", "character error rate", CHARACTERS


def error_rates(predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """``{"wer": …, "cer": …}`` over all pairs, 0…1 and above."""
    scores = evaluate.combine([Wer(), Cer()])
    return scores.compute(predictions=list(predictions), references=list(references))


def trainer_metrics(labels: Labels, show: Callable[[Sequence[str], Sequence[str]], None] | None = None) -> Callable:
    """A Trainer's `compute_metrics`: predictions are label indices [B, T], -100 where padded.

    It gives what `scores_with_intervals` gives.
    """

    def compute(prediction) -> dict[str, float]:
        paths = np.where(prediction.predictions < 0, labels.blank, prediction.predictions)
        hypotheses = [collapse(path, labels) for path in paths]
        references = [
            " ".join("".join(labels.symbols[i] for i in row if i >= 0).replace("|", " ").split())
            for row in prediction.label_ids
        ]
        if show:
            show(hypotheses, references)
        return scores_with_intervals(hypotheses, references)

    return compute
