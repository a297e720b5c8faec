"""The fit of calibrated confidence on speech with known texts that the recogniser did not learn from.

Cross-validation over recordings (or speakers, or utterances) decides between a curve of the raw confidence (isotonic
regression) and all features (logistic regression for words, a sum without negative weights for a segment's errors),
and whether either is better than the raw confidence at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score

from u2u_hf.data.audio import decode_mono
from u2u_hf.evaluation.metrics import CHARACTERS, WORDS, aligned, error_counts
from u2u_hf.progress_bar import progress_bar
from u2u_hf.recognition import calibration
from u2u_hf.recognition.beam_search import best_runs
from u2u_hf.recognition.calibration import Calibration, Calibrations, Isotonic, Linear, Logistic, length, raw_rate
from u2u_hf.recognition.confidence_features import SEGMENT_FEATURES, characters_of, segment_features, word_features
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.recognition.recognizer import Recognizer

_SECONDS = 600  # of validation: more tells little more, and costs time at the end of every training
_FOLDS = 5
_UTTERANCES, _ERRORS, _WORDS, _OF_EACH = 20, 30, 50, 5  # fewer do not tell what is right of later ones
_LEAST_CHANCE, _LEAST_ERRORS = 1e-3, 0.05  # in losses: no prediction may cost without limit
_WRONG = SEGMENT_FEATURES.index("wrong")
_LEAST_SECONDS = 0.2  # of an utterance, in weights
_STRENGTH = 1.0  # of the logistic regression's penalty, on features of variance 1


@dataclass(frozen=True)
class Compared:
    """An utterance as recognised, beside its reference.

    Attributes:
        hypothesis: what was recognised.
        group: what is held out together: the recording, or the speaker.
        features: of the words, see `confidence_features.word_features`, float64 [W, F].
        lengths: the words' characters, int [W].
        right: whether each word is right, bool [W].
        sums: see `confidence_features.segment_features`, with chances of 1.
        characters: of the hypothesis.
        errors: character edits between reference and hypothesis.
        reference: characters of the reference.
    """

    hypothesis: str
    group: str
    features: np.ndarray
    lengths: np.ndarray
    right: np.ndarray
    sums: np.ndarray
    characters: int
    errors: int
    reference: int

    def with_chances(self, chances: np.ndarray) -> np.ndarray:
        """Return the segment's features with these chances of its words, float64 [W]."""
        found = self.sums.copy()
        found[_WRONG] = float(((1 - chances) * self.lengths).sum())
        return found


def recognise(recognizer: Recognizer, rows: Dataset, title: str = "recognising") -> list[np.ndarray]:
    """Return the log-probabilities, float32 [T, V], of each utterance.

    Args:
        title: of the progress bar.

    Raises:
        U2UError: an utterance's audio cannot be decoded.
    """
    audio = progress_bar(rows["audio"], desc=title, unit="utterance")
    return [recognizer.log_probs(decode_mono(item["bytes"], item["path"] or "audio")) for item in audio]


def judged(hypothesis: str, reference: str) -> tuple[np.ndarray, int, int]:
    """Return whether each word of a hypothesis is right, bool [W], its character edits, and the reference's characters.

    Args:
        reference: words separated by one space; `hypothesis` likewise.
    """
    right = [a == b for a, b in aligned(reference, hypothesis, WORDS) if b]
    errors, characters = error_counts([hypothesis], [reference], CHARACTERS)[0].tolist()
    return np.array(right, dtype=bool), errors, characters


def compared(
    log_probs: np.ndarray, reference: str, labels: Labels, language_model: LanguageModel | None, group: str = ""
) -> Compared:
    """Return an utterance as decoded, beside its reference.

    Args:
        log_probs: float32 [T, V], natural logarithms of probabilities.
    """
    words = best_runs(log_probs, labels, language_model)
    hypothesis = " ".join("".join(labels.symbols[run.label] for run in word) for word in words)
    right, errors, characters = judged(hypothesis, " ".join(reference.split()))
    return Compared(
        hypothesis,
        group,
        word_features(log_probs, words, labels, language_model),
        np.array([len(word) for word in words], dtype=np.int64),
        right,
        segment_features(log_probs, words, labels, np.ones(len(words))),
        characters_of(words),
        errors,
        characters,
    )


def calibrate(
    recognizer: Recognizer,
    rows: Dataset,
    language_model: LanguageModel | None,
    folder: Path,
    log_probs: Sequence[np.ndarray] | None = None,
    alone: Calibration | None = None,
) -> str:
    """Fit the confidence of a recogniser, without and with its language model, and write it into a folder.

    Where neither can be fitted, an earlier file there is removed: it was made for other weights.

    Args:
        rows: of validation; of much speech, utterances at even distances are used.
        log_probs: of each row, float32 [T, V], if they are at hand.
        alone: the calibration without the language model that the recogniser has, which stays; None to fit one.

    Returns:
        sentences on what was found, for people to read.

    Raises:
        U2UError: an utterance's audio cannot be decoded, or the folder cannot be written.
    """
    chosen = _chosen(rows["duration"])
    known = (
        [log_probs[row] for row in chosen] if log_probs else recognise(recognizer, rows.select(chosen), "calibrating")
    )
    references = [rows[row]["text"] for row in chosen]
    groups = _groups(rows.select(chosen))
    found, accounts = [], []
    # One that is there may be of much more speech: evaluate.py --update_confidence.
    if alone:
        found.append(alone)
        accounts.append("confidence without the language model stays calibrated as it was")
    for model in [*([] if alone else [None]), *([language_model] if language_model else [])]:
        utterances = [
            compared(*item, recognizer.labels, model, group)
            for *item, group in zip(known, references, groups, strict=True)
        ]
        fitted, account = fit(utterances)
        found.append(fitted)
        accounts.append(f"with the language model: {account}" if model else account)
    calibration.save(Calibrations(*found), folder)
    return "; ".join(accounts)


def _chosen(seconds: Sequence[float]) -> list[int]:
    """Return the rows to use, at even distances, that last about `_SECONDS` at most."""
    count = len(seconds) if (total := sum(seconds)) <= _SECONDS else max(1, round(len(seconds) * _SECONDS / total))
    return sorted(set(np.linspace(0, len(seconds) - 1, count).round().astype(int).tolist()))


def _groups(rows: Dataset) -> list[str]:
    """Return what is held out together: recordings, else speakers; empty strings if there is one of each."""
    for column in ("recording", "speaker"):
        if column in rows.column_names and len(set(rows[column])) > 1:
            return [str(value) for value in rows[column]]
    return [""] * len(rows)


def fit(utterances: Sequence[Compared]) -> tuple[Calibration | None, str]:
    """Return the calibration, or None where there is too little to learn from or it is no better; and why."""
    right = np.concatenate([item.right for item in utterances]) if utterances else np.zeros(0, dtype=bool)
    errors = np.array([item.errors for item in utterances])
    few = len(utterances) < _UTTERANCES or errors.sum() < _ERRORS or len(right) < _WORDS
    if few or min(right.sum(), (~right).sum()) < _OF_EACH:
        return None, (
            f"confidence stays as the recogniser gives it: {len(utterances)} utterances of validation with "
            f"{int(right.sum())} words right and {int((~right).sum())} wrong are too few to calibrate it"
        )
    folds = list(_folds([item.group for item in utterances]))
    words = _best_words(utterances, folds)
    if words is None:
        return None, "confidence stays as the recogniser gives it: calibrated it tells errors no better in validation"
    form, chances = words
    sums = np.stack([item.with_chances(own) for item, own in zip(utterances, chances, strict=True)])
    expected = _best_errors(utterances, sums, folds)
    if expected is None:
        return None, "confidence stays as the recogniser gives it: calibrated it tells errors no better in validation"
    features = np.concatenate([item.features for item in utterances])
    every = range(len(utterances))
    raw, fitted = (roc_auc_score(right, scores) for scores in (features[:, 0], np.concatenate(chances)))
    account = (
        f"confidence is calibrated on {len(utterances)} utterances of validation; right and wrong words are told "
        f"apart with an area under the curve of {fitted:.2f}, raw {raw:.2f}"
    )
    return Calibration(form(utterances, every), expected(utterances, sums, every)), account


def _folds(groups: Sequence[str]) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the utterances to learn from, and those held out; groups are whole, a single one is cut into stretches."""
    names = sorted(set(groups))
    if len(names) > 1 and max(map(list(groups).count, names)) <= len(groups) / 2:  # else a fold learns from the rest
        sizes = {name: groups.count(name) for name in names}
        fold_of: dict[str, int] = {}
        loads = [0] * min(_FOLDS, len(names))
        for name in sorted(names, key=lambda name: (-sizes[name], name)):
            fold_of[name] = loads.index(min(loads))
            loads[fold_of[name]] += sizes[name]
        numbers = [fold_of[group] for group in groups]
    else:
        numbers = [index * _FOLDS // len(groups) for index in range(len(groups))]
    for fold in range(max(numbers) + 1):
        yield [i for i, n in enumerate(numbers) if n != fold], [i for i, n in enumerate(numbers) if n == fold]


def _words_of(utterances: Sequence[Compared], which: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    return (
        np.concatenate([utterances[i].features for i in which]),
        np.concatenate([utterances[i].right for i in which]),
    )


def _logistic(utterances: Sequence[Compared], which: Sequence[int]) -> Logistic:
    features, right = _words_of(utterances, which)
    mean, spread = features.mean(0), features.std(0) + 1e-6
    model = LogisticRegression(C=_STRENGTH, max_iter=1000).fit((features - mean) / spread, right)
    weights = model.coef_[0] / spread
    return Logistic(float(model.intercept_[0] - weights @ mean), tuple(weights.tolist()))


def _isotonic_words(utterances: Sequence[Compared], which: Sequence[int]) -> Isotonic:
    features, right = _words_of(utterances, which)
    return _isotonic(np.exp(features[:, 0]), right.astype(float), np.ones(len(right)))


def _isotonic(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Isotonic:
    model = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=weights)
    return Isotonic(tuple(model.X_thresholds_.tolist()), tuple(model.y_thresholds_.tolist()))


def _linear(utterances: Sequence[Compared], sums: np.ndarray, which: Sequence[int]) -> Linear:
    errors = np.array([utterances[i].errors for i in which])
    # Of counts the variance grows with their mean, and this with the time: not with the length of a hypothesis, which
    # is short where most is missed.
    weights = 1 / np.maximum(sums[list(which), SEGMENT_FEATURES.index("seconds")], _LEAST_SECONDS)
    model = LinearRegression(positive=True, fit_intercept=False).fit(sums[list(which)], errors, sample_weight=weights)
    return Linear(tuple(model.coef_.tolist()))


def _isotonic_errors(utterances: Sequence[Compared], sums: np.ndarray, which: Sequence[int]) -> Isotonic:
    lengths = np.array([length(utterances[i].characters) for i in which])
    rates = np.array([utterances[i].errors for i in which]) / lengths
    return _isotonic(np.array([raw_rate(sums[i], utterances[i].characters) for i in which]), rates, lengths)


def _best_words(utterances: Sequence[Compared], folds: Sequence[tuple[list[int], list[int]]]):
    """Return how to fit the chance of words, and the chances of each utterance's words when it was held out.

    None if the raw confidence has the lowest loss, or a fold has words of one kind only.
    """
    every = range(len(utterances))
    right = [item.right for item in utterances]
    best, lowest = None, _log_loss([np.exp(item.features[:, 0]) for item in utterances], right)
    for form in (_isotonic_words, _logistic):
        chances = [np.zeros(0)] * len(utterances)
        for inside, outside in folds:
            if len(set(_words_of(utterances, inside)[1].tolist())) < 2:
                return None
            fitted = form(utterances, inside)
            for i in outside:
                features = utterances[i].features
                chances[i] = fitted.of(features, np.exp(features[:, 0]))
        if (loss := _log_loss([chances[i] for i in every], right)) < lowest:
            best, lowest = (form, chances), loss
    return best


def _best_errors(utterances: Sequence[Compared], sums: np.ndarray, folds: Sequence[tuple[list[int], list[int]]]):
    """Return how to fit the errors of segments; None if what the raw probabilities promise has the lowest loss."""
    errors = np.array([item.errors for item in utterances])
    best, lowest = None, _deviance(sums[:, SEGMENT_FEATURES.index("raw")], errors)
    for form in (_isotonic_errors, _linear):
        expected = np.zeros(len(utterances))
        for inside, outside in folds:
            fitted = Calibration(Isotonic((0.0,), (1.0,)), form(utterances, sums, inside))
            expected[outside] = [fitted.expected_errors(sums[i], utterances[i].characters) for i in outside]
        if (loss := _deviance(expected, errors)) < lowest:
            best, lowest = form, loss
    return best


def _log_loss(chances: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> float:
    chance = np.clip(np.concatenate(chances), _LEAST_CHANCE, 1 - _LEAST_CHANCE)
    return float(-np.log(np.where(np.concatenate(right), chance, 1 - chance)).mean())


def _deviance(expected: np.ndarray, errors: np.ndarray) -> float:
    """Return Poisson's deviance of counted errors from expected ones."""
    expected = np.maximum(expected, _LEAST_ERRORS)
    return float((expected - errors + errors * np.log(np.maximum(errors, 1) / expected)).mean())
