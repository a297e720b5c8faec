from types import SimpleNamespace

import numpy as np
import pytest
from datasets import Dataset

from u2u_hf.evaluation.calibration_fit import Compared, _chosen, _folds, calibrate, compared, fit
from u2u_hf.evaluation.reliability import reliability
from u2u_hf.recognition.calibration import Calibration, Calibrations, Isotonic, Linear, Logistic, load
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.language_model import learn

LABELS = Labels(("", "|", "a", "b"))
# "ab a", its b unsure.
PATH = [[0, 0, 0.98, 0.02], [0, 0, 0.45, 0.55], [0, 1, 0, 0], [0, 0, 0.98, 0.02]]


def log_probs(rows):
    with np.errstate(divide="ignore"):
        return np.log(np.array(rows, dtype=np.float32))


def utterance(rng, raw=0.9, length=4, group="", words=6):
    """Words of which as many are right as their certainty says, which raw hides: it is `raw` for all of them."""
    chance = rng.uniform(0.05, 0.95, words)
    right = rng.random(words) < chance
    features = np.zeros((words, 8))
    features[:, 0], features[:, 1] = np.log(raw), np.log(chance)
    lengths = np.full(words, length)
    errors = int((~right).sum()) * 2
    characters = words * (length + 1) - 1
    sums = np.array([0.0, words * length * (1 - raw), 0.0, 0.0, 0.1 * characters])
    return Compared("", group, features, lengths, right, sums, characters, errors, characters)


def test_an_utterance_beside_its_reference():
    found = compared(log_probs(PATH), " aa  a ", LABELS, None, "r")
    assert (found.hypothesis, found.group) == ("ab a", "r")
    assert found.right.tolist() == [False, True]
    assert (found.characters, found.errors, found.reference) == (4, 1, 4)
    assert found.lengths.tolist() == [2, 1]
    # Chances of 1 in the sums; then 0.5 of a word of two characters, and 1.
    assert found.sums[0] == 0
    assert found.with_chances(np.array([0.5, 1.0]))[0] == 1.0
    silent = compared(log_probs([[1, 0, 0, 0]] * 3), "a b", LABELS, None)
    assert (silent.hypothesis, silent.characters, silent.errors, silent.reference) == ("", 0, 3, 3)


def test_what_raw_confidence_hides_is_found_and_expected_errors_are_those_that_come():
    rng = np.random.default_rng(0)
    calibration, account = fit([utterance(rng, group=f"r{i % 4}") for i in range(200)])
    assert isinstance(calibration.words, Logistic)
    assert isinstance(calibration.errors, Linear)
    assert "calibrated on 200 utterances of validation" in account
    later = [utterance(rng) for _ in range(300)]
    told = reliability(later, calibration)
    assert told["raw"]["words_auc"] == 0.5
    assert told["calibrated"]["words_auc"] > 0.7
    assert told["calibrated"]["segments_auc"] > 0.6
    assert told["calibrated"]["expected_errors"] == pytest.approx(told["errors"], rel=0.1)
    assert abs(told["raw"]["expected_errors"] / told["errors"] - 1) > 0.3
    for row in told["calibrated"]["bins"]:
        assert row["words"] < 100 or abs(row["chance"] - row["right"]) < 0.12


def test_where_raw_confidence_is_all_there_is_its_curve_is_taken():
    rng = np.random.default_rng(1)
    found = []
    for _ in range(300):
        one = utterance(rng)
        raw = rng.random(6)
        one.features[:] = rng.normal(size=one.features.shape)
        one.features[:, 0] = np.log(raw)
        one.right[:] = rng.random(6) < np.where(raw > 0.5, 0.9, 0.1)  # no logistic curve of the logarithm
        found.append(one)
    calibration, _ = fit(found)
    assert isinstance(calibration.words, Isotonic)
    assert np.interp([0.2, 0.8], calibration.words.x, calibration.words.y) == pytest.approx([0.1, 0.9], abs=0.1)


def test_too_little_is_said_and_nothing_is_kept():
    rng = np.random.default_rng(0)
    none, account = fit([utterance(rng) for _ in range(10)])
    assert none is None
    assert account.startswith("confidence stays as the recogniser gives it: 10 utterances of validation with")
    everything_right = [utterance(rng) for _ in range(40)]
    for one in everything_right:
        one.right[:] = True
    assert fit(everything_right)[0] is None
    assert fit([])[0] is None


def test_chance_is_no_better_than_raw_confidence_that_is_right():
    rng = np.random.default_rng(2)
    found = []
    for _ in range(25):
        one = utterance(rng, raw=0.5)
        one.features[:, 1:] = rng.normal(size=(6, 7))
        one.right[:] = rng.random(6) < 0.5
        found.append(one)
    none, account = fit(found)
    assert none is None
    assert "calibrated it tells errors no better in validation" in account


def test_recordings_are_held_out_whole_and_a_single_one_in_stretches():
    groups = ["a"] * 5 + ["b"] * 3 + ["c"] * 2
    folds = list(_folds(groups))
    assert [{groups[i] for i in outside} for _, outside in folds] == [{"a"}, {"b"}, {"c"}]
    assert all(sorted(inside + outside) == list(range(10)) for inside, outside in folds)
    assert [outside for _, outside in _folds([""] * 10)] == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]


def test_of_much_speech_utterances_at_even_distances_are_used():
    assert _chosen([10.0] * 60) == list(range(60))
    # Ten of forty, from the first to the last.
    assert _chosen([60.0] * 40) == [0, 4, 9, 13, 17, 22, 26, 30, 35, 39]


def test_the_calibration_of_a_model_stays_when_its_language_model_is_calibrated_beside_it(tmp_path):
    """It may be of much more speech than validation has; the folder beside the model has none."""
    own = Calibration(Isotonic((0.2, 0.6), (0.1, 0.5)), Linear((1, 0, 0, 0, 0)))
    rows = Dataset.from_dict({"text": ["ab a"] * 3, "duration": [1.0] * 3})
    arguments = (SimpleNamespace(labels=LABELS), rows, learn(["ab a"]), tmp_path, [log_probs(PATH)] * 3)
    said = calibrate(*arguments, own)
    assert load(str(tmp_path)) == Calibrations(own)
    assert said.startswith(
        "confidence without the language model stays calibrated as it was; with the language model: "
    )
    said = calibrate(*arguments)  # three utterances are too few to fit one
    assert load(str(tmp_path)) == Calibrations()
    assert said.startswith("confidence stays as the recogniser gives it: 3 utterances of validation with")


def test_reliability_worked_out_by_hand():
    features = np.zeros((2, 8))
    features[:, 0] = np.log([0.9, 0.3])
    # Right 0.9, wrong 0.3: told apart; segments of 0 and 2 errors, the second with the lower confidence.
    first = Compared("aa", "", features[:1], np.array([2]), np.array([True]), np.array([0, 0.2, 0, 0, 1]), 2, 0, 2)
    second = Compared("bb", "", features[1:], np.array([2]), np.array([False]), np.array([0, 1.4, 0, 0, 1]), 2, 2, 2)
    found = reliability([first, second], None)
    assert (found["words"], found["wrong_words"], found["errors"], found["calibrated"]) == (2, 1, 2, None)
    assert found["raw"] == {
        "words_auc": 1.0,
        "segments_auc": 1.0,
        "expected_errors": 1.6,
        "bins": [{"chance": 0.3, "right": 0.0, "words": 1}, {"chance": 0.9, "right": 1.0, "words": 1}],
    }
    assert reliability([first], None)["raw"]["words_auc"] is None
