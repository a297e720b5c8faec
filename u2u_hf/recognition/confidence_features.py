"""Features of words and segments that tell right words from wrong ones: `calibration` makes confidence of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from u2u_hf.recognition.character_model import END
from u2u_hf.recognition.decoding import DELIMITER, Labels, Run
from u2u_hf.recognition.language_model import LanguageModel

# Columns of `word_features`; the last one is missing without a language model.
WORD_FEATURES = ("certainty", "weakest", "margin", "length", "pace", "doubt", "edges", "whole", "language")
# Columns of `segment_features`.
SEGMENT_FEATURES = ("wrong", "raw", "missed", "doubt", "seconds")
_LEAST_LOG_PROB, _LEAST_MARGIN, _MOST_MARGIN = -10.0, -5.0, 8.0
_SOME = 1e-3  # added before a logarithm
_SECONDS_PER_FRAME = 0.02


def word_features(
    log_probs: np.ndarray, words: Sequence[Sequence[Run]], labels: Labels, language_model: LanguageModel | None
) -> np.ndarray:
    """Return what tells right words from wrong ones, float64 [W, F], in the order of `WORD_FEATURES`.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
        words: each as its characters, from `beam_search.best_runs`.
        language_model: that chose the words, or None.
    """
    probs = np.exp(log_probs.astype(np.float64))
    doubt = 1 - probs.max(1) if len(probs) else np.zeros(0)
    between = _probability(probs, [label for label, symbol in enumerate(labels.symbols) if symbol == DELIMITER])
    language = _language(words, labels, language_model) if language_model else None
    found = []
    for number, word in enumerate(words):
        first, last = word[0].first, word[-1].last
        begin = words[number - 1][-1].last + 1 if number else 0
        end = words[number + 1][0].first if number + 1 < len(words) else len(probs)
        logs = [max(run.log_prob, _LEAST_LOG_PROB) for run in word]
        left = float(between[begin : first + 1].max()) if number else 1.0
        right = float(between[last:end].max()) if number + 1 < len(words) else 1.0
        row = [
            sum(logs) / len(logs),
            min(logs),
            min(max(min(margin(log_probs, run) for run in word), _LEAST_MARGIN), _MOST_MARGIN),
            math.log(len(word)),
            math.log((last - first + 1) / len(word)),
            math.log(float(doubt[begin:end].sum()) / len(word) + _SOME),
            math.log(min(left, right) + _SOME),
            math.log(max(1 - float(between[first : last + 1].max()), 0.0) + _SOME),
        ]
        found.append([*row, language[number]] if language else row)
    columns = len(WORD_FEATURES) - (language_model is None)
    return np.array(found, dtype=np.float64).reshape(-1, columns)


def segment_features(
    log_probs: np.ndarray, words: Sequence[Sequence[Run]], labels: Labels, chances: np.ndarray
) -> np.ndarray:
    """Return sums over a segment that grow with its errors, float64 [F], in the order of `SEGMENT_FEATURES`.

    Args:
        chances: that each word is right, float64 [W].
    """
    probs = np.exp(log_probs.astype(np.float64))
    runs = [run for word in words for run in word]
    wrong = sum((1 - chance) * len(word) for chance, word in zip(chances.tolist(), words, strict=True))
    raw = sum(1 - math.exp(max(run.log_prob, _LEAST_LOG_PROB)) for run in runs)
    doubt = float((1 - probs.max(1)).sum()) if len(probs) else 0.0
    return np.array([wrong, raw, _missed(probs, runs, labels), doubt, len(probs) * _SECONDS_PER_FRAME])


def characters_of(words: Sequence[Sequence[Run]]) -> int:
    """Return the characters of a text, with the spaces between its words."""
    return sum(map(len, words)) + max(len(words) - 1, 0)


def margin(log_probs: np.ndarray, run: Run) -> float:
    """Return how far the next best label lies below a character where the character peaks, natural logarithm.

    Args:
        log_probs: float32 [T, V] with at least two labels.
    """
    peak = log_probs[run.first + int(log_probs[run.first : run.last + 1, run.label].argmax())]
    return float(peak[run.label]) - float(np.delete(peak, run.label).max())


def _missed(probs: np.ndarray, runs: Sequence[Run], labels: Labels) -> float:
    """Return how many characters may lie unwritten between those of the text.

    For each gap, the highest probability in a frame of a label that is neither blank, nor a space, nor one of the two
    characters beside it, which reach into the gap.
    """
    quiet = _probability(probs, [label for label, symbol in enumerate(labels.symbols) if symbol in ("", DELIMITER)])
    total = 0.0
    for left, right in zip([None, *runs], [*runs, None], strict=True):
        begin, end = left.last + 1 if left else 0, right.first if right else len(probs)
        if begin < end:
            beside = {run.label for run in (left, right) if run}
            known = quiet[begin:end] + sum(probs[begin:end, label] for label in beside)
            total += max(float((1 - known).max()), 0.0)
    return total


def _probability(probs: np.ndarray, labels: Sequence[int]) -> np.ndarray:
    """Return for each frame the probability of any of these labels, float64 [T]."""
    return probs[:, list(labels)].sum(1)


def _language(words: Sequence[Sequence[Run]], labels: Labels, language_model: LanguageModel) -> list[float]:
    """Return the language model's mean log-probability of each word's characters and of what ends it."""
    found, state = [], language_model.start()
    for number, word in enumerate(words):
        total = 0.0
        for run in word:
            character = labels.symbols[run.label]
            total += state.log_prob(character)
            state = state.after(character)
        ending = DELIMITER if number + 1 < len(words) else END
        total += state.log_prob(ending)
        if ending == DELIMITER:
            state = state.after(DELIMITER)
        found.append(total / (len(word) + 1))
    return found
