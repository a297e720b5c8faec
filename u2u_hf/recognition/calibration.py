"""Calibrated confidence: the chance that a word is right, and the errors to expect in a segment.

What a recogniser gives for a character is no chance: of words with a raw confidence of 0.98, one in three may be wrong.
`u2u_hf.evaluation.calibration_fit` learns on speech with known texts what the numbers here say of errors, and writes
it into the model's folder as plain numbers; spaces/browser/calibration.js applies them as this module does.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from u2u_hf.files import write_text
from u2u_hf.hub.model_files import optional_file
from u2u_hf.model_folder import CALIBRATION
from u2u_hf.recognition.confidence_features import (
    SEGMENT_FEATURES,
    WORD_FEATURES,
    characters_of,
    segment_features,
    word_features,
)
from u2u_hf.recognition.decoding import Labels, Run
from u2u_hf.recognition.language_model import LanguageModel
from u2u_hf.records import U2UError

_ALONE, _TOGETHER = "alone", "with_language_model"


@dataclass(frozen=True)
class Logistic:
    """A chance from all features: 1 / (1 + exp(-(intercept + weights · features)))."""

    intercept: float
    weights: tuple[float, ...]

    def of(self, features: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """Return float64 [N] for features [N, F]; `raw` is not used."""
        return 1 / (1 + np.exp(-np.clip(self.intercept + features @ np.array(self.weights), -30, 30)))


@dataclass(frozen=True)
class Linear:
    """Errors as a sum: weights · features, none of them negative."""

    weights: tuple[float, ...]

    def of(self, features: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """Return float64 [N] for features [N, F]; `raw` is not used."""
        return features @ np.array(self.weights)


@dataclass(frozen=True)
class Isotonic:
    """A value from the raw confidence alone, linear between knots and level beyond them; `x` rises."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def of(self, features: np.ndarray, raw: np.ndarray) -> np.ndarray:
        """Return float64 [N] for raw confidences [N]; the features are not used."""
        return np.interp(raw, self.x, self.y)


@dataclass(frozen=True)
class Calibration:
    """How confidence is computed for one way of decoding.

    Attributes:
        words: gives the chance that a word is right.
        errors: `Linear` gives a segment's character errors, `Isotonic` its errors for each of its `length`.
    """

    words: Logistic | Isotonic
    errors: Linear | Isotonic

    def chances(self, features: np.ndarray) -> np.ndarray:
        """Return for each word the chance that it is right, float64 [W].

        Args:
            features: from `confidence_features.word_features`.
        """
        return self.words.of(features, np.exp(features[:, 0])) if len(features) else np.zeros(0)

    def expected_errors(self, features: np.ndarray, characters: int) -> float:
        """Return how many character errors to expect in a segment: substitutions, insertions and deletions.

        Args:
            features: of the segment, from `confidence_features.segment_features`.
            characters: of the text, with the spaces between words.
        """
        found = self.errors.of(features[None], np.array([raw_rate(features, characters)]))[0]
        return float(max(found, 0.0) * (length(characters) if isinstance(self.errors, Isotonic) else 1))


@dataclass(frozen=True)
class Calibrations:
    """The calibration of decoding without and with the model's language model; None where there is none."""

    alone: Calibration | None = None
    with_language_model: Calibration | None = None

    def of(self, language_model: LanguageModel | None) -> Calibration | None:
        """Return the one for decoding with this language model, or without."""
        return self.with_language_model if language_model else self.alone


NOT_CALIBRATED = Calibrations()


def length(characters: int) -> int:
    """Return what errors are divided by: a text's characters and one, because an empty text has errors too."""
    return characters + 1


def raw_rate(features: np.ndarray, characters: int) -> float:
    """Return the errors for each of a segment's `length` that the raw probabilities promise."""
    return float(features[SEGMENT_FEATURES.index("raw")]) / length(characters)


def confidence_of(expected_errors: float, characters: int) -> float:
    """Return a segment's calibrated confidence, 0…1: its characters, divided by these and the errors to expect.

    With few errors it is the share of characters that are right; it never reaches 0, so that poor texts differ too.
    """
    return characters / (characters + expected_errors) if characters else 0.0


@dataclass(frozen=True)
class Calibrated:
    """The confidence of a segment's text.

    Attributes:
        chances: that each word is right, 0…1.
        expected_errors: character edits to expect.
        confidence: see `confidence_of`.
    """

    chances: tuple[float, ...]
    expected_errors: float
    confidence: float


def calibrated(
    calibration: Calibration,
    log_probs: np.ndarray,
    words: Sequence[Sequence[Run]],
    labels: Labels,
    language_model: LanguageModel | None,
) -> Calibrated:
    """Return the calibrated confidence of a segment.

    Args:
        calibration: of decoding with this language model, or without.
        log_probs: float32 [T, V], natural logarithms of probabilities.
        words: each as its characters, from `beam_search.best_runs`.
    """
    chances = calibration.chances(word_features(log_probs, words, labels, language_model))
    features = segment_features(log_probs, words, labels, chances)
    characters = characters_of(words)
    errors = calibration.expected_errors(features, characters)
    return Calibrated(tuple(chances.tolist()), errors, confidence_of(errors, characters))


def save(calibrations: Calibrations, folder: Path) -> None:
    """Write the calibrations into a model's folder; remove the file there if there are none."""
    path = Path(folder) / CALIBRATION
    plain = {name: _plain(own) for name in (_ALONE, _TOGETHER) if (own := getattr(calibrations, name))}
    if plain:
        write_text(path, json.dumps(plain, indent=1) + "\n")
    else:
        path.unlink(missing_ok=True)


def forget_language_model(folder: Path) -> None:
    """Remove the calibration of decoding with a language model from a model's folder: it is of one that is replaced."""
    save(dataclasses.replace(load(str(folder)), with_language_model=None), folder)


def load(source: str) -> Calibrations:
    """Return the calibrations of a recogniser, empty ones if it has none.

    Args:
        source: folder or Hub name of the recogniser.

    Raises:
        U2UError: the file is damaged.
    """
    path = optional_file(source, CALIBRATION)
    if path is None:
        return Calibrations()
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        return Calibrations(
            *(
                _calibration(plain[name], len(WORD_FEATURES) - (name == _ALONE)) if name in plain else None
                for name in (_ALONE, _TOGETHER)
            )
        )
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise U2UError(f"{path}: is damaged: remove it, or copy or download the model again") from error


def _plain(calibration: Calibration) -> dict[str, Any]:
    def numbers(form: Logistic | Linear | Isotonic) -> dict[str, Any]:
        if isinstance(form, Isotonic):
            return {"x": list(form.x), "y": list(form.y)}
        return {name: value if isinstance(value, float) else list(value) for name, value in vars(form).items()}

    return {"words": numbers(calibration.words), "errors": numbers(calibration.errors)}


def _calibration(plain: Mapping[str, Any], columns: int) -> Calibration:
    words, errors = plain["words"], plain["errors"]
    chance = (
        Logistic(*_finite([words["intercept"]]), _finite(words["weights"], columns))
        if "weights" in words
        else _isotonic(words)
    )
    expected = Linear(_finite(errors["weights"], len(SEGMENT_FEATURES))) if "weights" in errors else _isotonic(errors)
    return Calibration(chance, expected)


def _isotonic(plain: Mapping[str, Any]) -> Isotonic:
    x = _finite(plain["x"])
    if not x or list(x) != sorted(x):
        raise ValueError("knots that do not rise")
    return Isotonic(x, _finite(plain["y"], len(x)))


def _finite(values: Sequence[Any], count: int | None = None) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if not all(map(math.isfinite, numbers)) or (count is not None and len(numbers) != count):
        raise ValueError("numbers are missing or invalid")
    return numbers
