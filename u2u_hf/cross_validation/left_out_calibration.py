"""The confidence of a model, calibrated on what was left out of trainings like its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from u2u_hf.cross_validation.unseen import Unseen
from u2u_hf.evaluation.calibration_fit import Compared, fit, judged
from u2u_hf.recognition import calibration
from u2u_hf.recognition.confidence_features import WORD_FEATURES


def calibrate_on(found: Sequence[Unseen], what: str, folder: Path) -> str:
    """Fit the confidence of decoding without a language model, and write it into a model's folder.

    Much more speech than validation, of more speakers, each recognised as a new one would be. Where it cannot be
    fitted the folder stays as it is.

    Args:
        what: was left out, ``speaker`` or ``recording``; it is held out together here too.

    Returns:
        a sentence on what was found, for people to read.
    """
    fitted, account = fit([as_compared(unseen, what) for unseen in found])
    if fitted:
        own = calibration.load(str(folder))
        calibration.save(dataclasses.replace(own, alone=fitted), folder)
        account += "; the test split is among them, so it no longer shows how far this confidence can be trusted"
    return account.replace("of validation", "that were left out").replace("in validation", "on what was left out")


def as_compared(unseen: Unseen, what: str) -> Compared:
    """Return an utterance as `calibration_fit` takes it."""
    pair = unseen.pair
    right, errors, reference = judged(pair.hypothesis, pair.reference)
    return Compared(
        pair.hypothesis,
        pair.speaker if what == "speaker" else pair.recording,
        np.array(unseen.word_features, dtype=np.float64).reshape(-1, len(WORD_FEATURES) - 1),
        np.array([len(word.text) for word in unseen.words], dtype=np.int64),
        right,
        np.array(unseen.sums, dtype=np.float64),
        len(pair.hypothesis),
        errors,
        reference,
    )
