import json
import math

import numpy as np
import pytest
from support.probabilities import log_prob

from u2u_hf.model_folder import CALIBRATION
from u2u_hf.recognition.calibration import (
    NOT_CALIBRATED,
    Calibration,
    Calibrations,
    Isotonic,
    Linear,
    Logistic,
    calibrated,
    forget_language_model,
    load,
    save,
)
from u2u_hf.recognition.confidence_features import WORD_FEATURES, segment_features, word_features
from u2u_hf.recognition.decoding import Labels, greedy_runs
from u2u_hf.recognition.language_model import learn
from u2u_hf.records import U2UError

LABELS = Labels(("", "|", "a", "b"))
# "a b": a, a blank, a space, b.
PROBABILITIES = [[0.2, 0.1, 0.6, 0.1], [0.9, 0.05, 0.02, 0.03], [0.2, 0.7, 0.05, 0.05], [0.1, 0.1, 0.1, 0.7]]
LOG_PROBS = np.log(np.array(PROBABILITIES, dtype=np.float32))
WORDS = greedy_runs(LOG_PROBS, LABELS)


def test_word_features_worked_out_by_hand():
    a, b = word_features(LOG_PROBS, WORDS, LABELS, None)
    # Certainty and weakest character 0.6; three times the next best; one character in one frame; doubt of frames 0 to 2
    # 0.4 + 0.1 + 0.3; the space beside it 0.7; in it 0.1.
    expected = [0.6, 0.6, 3, 1, 1, 0.8 + 0.001, 0.7 + 0.001, 0.9 + 0.001]
    assert a == pytest.approx(np.log(expected), abs=1e-5)
    assert b[[0, 5]] == pytest.approx(np.log([0.7, 0.1 + 0.3 + 0.3 + 0.001]), abs=1e-5)
    assert word_features(LOG_PROBS, [], LABELS, None).shape == (0, len(WORD_FEATURES) - 1)


def test_with_a_language_model_there_is_one_feature_more():
    language_model = learn(["a b", "a b"])
    a, b = word_features(LOG_PROBS, WORDS, LABELS, language_model)[:, -1]
    assert a == pytest.approx((log_prob(language_model, "\x02", "a") + log_prob(language_model, "\x02a", "|")) / 2)
    end = log_prob(language_model, "\x02a|b", "\x03")
    assert b == pytest.approx((log_prob(language_model, "\x02a|", "b") + end) / 2)


def test_segment_features_worked_out_by_hand():
    found = segment_features(LOG_PROBS, WORDS, LABELS, np.array([0.75, 0.5]))
    # Wrong 0.25 + 0.5; raw 0.4 + 0.3; in the gap between a and b no label besides them is left; doubt of all frames.
    assert found == pytest.approx([0.75, 0.7, 0, 0.4 + 0.1 + 0.3 + 0.3, 0.08], abs=1e-6)


def test_a_character_that_may_be_missing_is_counted_once_for_each_gap():
    labels = Labels(("", "|", "a", "b", "c"))
    rows = [[0.6, 0, 0, 0, 0.4], [0.1, 0, 0.8, 0, 0.1], [0.7, 0, 0, 0, 0.3], [0.8, 0, 0, 0, 0.2], [0.1, 0, 0, 0.9, 0]]
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array(rows, dtype=np.float32))
    runs = greedy_runs(log_probs, labels)
    assert segment_features(log_probs, runs, labels, np.ones(1))[2] == pytest.approx(0.4 + 0.3)


def test_chances_errors_and_confidence_by_hand():
    own = Calibration(Isotonic((0.2, 0.6), (0.1, 0.5)), Linear((1, 0, 0, 0, 0)))
    found = calibrated(own, LOG_PROBS, WORDS, LABELS, None)
    assert found.chances == pytest.approx((0.5, 0.5))
    # One of three characters is expected to be wrong.
    assert found.expected_errors == pytest.approx(1)
    assert found.confidence == pytest.approx(3 / 4)
    # 1 / (1 + exp(-(1 + 2 · log 0.6))), and errors for each of the three characters and one.
    other = Calibration(Logistic(1.0, (2.0,) + (0.0,) * 7), Isotonic((0.0, 1.0), (0.0, 1.0)))
    found = calibrated(other, LOG_PROBS, WORDS, LABELS, None)
    assert found.chances[0] == pytest.approx(1 / (1 + math.exp(-1) / 0.36), rel=1e-5)
    assert found.expected_errors == pytest.approx(0.7, rel=1e-5)


def test_a_segment_without_words_has_no_confidence_and_still_expects_errors():
    own = Calibration(Isotonic((0.0,), (1.0,)), Linear((0, 0, 0, 1.0, 0)))
    found = calibrated(own, LOG_PROBS, [], LABELS, None)
    assert (found.chances, found.confidence) == ((), 0.0)
    assert found.expected_errors == pytest.approx(1.1)


def test_what_is_saved_is_loaded_and_what_is_none_leaves_no_file(tmp_path):
    own = Calibration(Logistic(0.5, tuple(range(8))), Linear((1, 2, 3, 4, 5)))
    both = Calibrations(own, Calibration(Isotonic((0.1, 0.2), (0.3, 0.4)), Isotonic((0.0,), (0.5,))))
    for calibrations in (both, Calibrations(own), NOT_CALIBRATED):
        save(calibrations, tmp_path)
        assert load(str(tmp_path)) == calibrations
        assert (tmp_path / CALIBRATION).exists() == (calibrations != NOT_CALIBRATED)
    assert both.of(None) is both.alone
    assert both.of(learn(["a"])) is both.with_language_model


@pytest.mark.parametrize("change", [{"weights": [1]}, {"intercept": None}, {"x": [2, 1], "y": [0, 1], "weights": None}])
def test_a_damaged_file_is_named(tmp_path, change):
    save(Calibrations(Calibration(Logistic(0.5, tuple(range(8))), Linear((1, 2, 3, 4, 5)))), tmp_path)
    plain = json.loads((tmp_path / CALIBRATION).read_text())
    plain["alone"]["words"] |= change
    (tmp_path / CALIBRATION).write_text(json.dumps(plain))
    with pytest.raises(U2UError, match=r"calibration\.json: is damaged: remove it, or copy or download"):
        load(str(tmp_path))


def test_the_calibration_of_a_language_model_goes_with_it(tmp_path):
    own = Calibration(Isotonic((0.2, 0.6), (0.1, 0.5)), Linear((1, 0, 0, 0, 0)))
    save(Calibrations(own, own), tmp_path)
    forget_language_model(tmp_path)
    assert load(str(tmp_path)) == Calibrations(own, None)
    save(Calibrations(None, own), tmp_path)
    forget_language_model(tmp_path)
    forget_language_model(tmp_path)
    assert not (tmp_path / CALIBRATION).exists()
