import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf.evaluation.metrics import CHARACTERS, WORDS, aligned, error_counts, error_rates, rate, scores_with_intervals


@pytest.mark.parametrize(
    ("said", "heard", "wer", "cer"),
    [
        (["a b c d"], ["a b c d"], 0, 0),
        (["a b c d"], ["a x c d"], 1 / 4, 1 / 7),
        (["a b c d"], ["a c d"], 1 / 4, 2 / 7),
        (["tata"], ["tatata"], 1, 2 / 4),
        (["kitten"], ["sitting"], 1, 3 / 6),
        (["one two", "three"], ["one", "three four"], 2 / 3, (4 + 5) / 12),
        (["a b"], [""], 1, 1),
        ([""], [""], 0, 0),
        ([""], ["oh"], 1, 1),  # nothing was said: all that is heard is wrong
        (["abcd", ""], ["abcd", "xy"], 1, 2 / 4),
    ],
)
def test_error_rates(said, heard, wer, cer):
    assert error_rates(heard, said) == pytest.approx({"wer": wer, "cer": cer})
    whole = scores_with_intervals(heard, said)
    assert (whole["wer"], whole["cer"]) == pytest.approx((wer, cer))


TEXT = st.text("ab cñ\u0301", max_size=12).map(lambda text: " ".join(text.split()))
PAIRS = st.lists(st.tuples(TEXT.filter(bool), TEXT), min_size=1, max_size=5)


def distance(said, heard):
    """Wagner and Fischer's, the textbook's way."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


@given(TEXT, TEXT)
def test_errors_are_as_few_as_can_be(said, heard):
    words = error_counts([heard], [said], WORDS)[0].tolist()
    assert words == [distance(said.split(), heard.split()), len(said.split())]
    assert error_counts([heard], [said], CHARACTERS)[0].tolist() == [distance(said, heard), len(said)]


@settings(deadline=None)  # 200 samples of each example
@given(PAIRS)
def test_an_interval_is_around_its_rate_within_the_rates_of_the_utterances(pairs):
    said, heard = map(list, zip(*pairs, strict=True))
    found = scores_with_intervals(heard, said, samples=200)
    for name, units in (("wer", WORDS), ("cer", CHARACTERS)):
        each = rate(error_counts(heard, said, units))
        low, high = found[f"{name}_low"], found[f"{name}_high"]
        assert each.min() - 1e-9 <= low <= high <= each.max() + 1e-9
    assert found == scores_with_intervals(heard, said, samples=200)


def test_intervals_worked_out_by_hand():
    # All alike: every sample has the same rate.
    alike = scores_with_intervals(["x b"] * 7, ["a b"] * 7)
    assert alike == pytest.approx(
        {"wer": 1 / 2, "wer_low": 1 / 2, "wer_high": 1 / 2, "cer": 1 / 3, "cer_low": 1 / 3, "cer_high": 1 / 3}
    )
    # One right, one wrong: a sample of two is all wrong, or all right, in a quarter of the cases each.
    assert scores_with_intervals(["a", "x"], ["a", "b"])["cer_low"] == 0
    assert scores_with_intervals(["a", "x"], ["a", "b"])["cer_high"] == 1
    # 400 utterances of a word, half of them wrong: the rate is binomial, with a standard error of 0.5 / √400.
    many = scores_with_intervals(["a"] * 200 + ["x"] * 200, ["a"] * 400, samples=4000)
    assert (many["wer_low"], many["wer_high"]) == pytest.approx((0.5 - 1.96 * 0.025, 0.5 + 1.96 * 0.025), abs=0.005)


@pytest.mark.parametrize(
    ("said", "heard", "pairs"),
    [
        ("", "", []),
        ("ab", "ab", [("a", "a"), ("b", "b")]),
        ("abc", "axc", [("a", "a"), ("b", "x"), ("c", "c")]),
        ("abc", "ac", [("a", "a"), ("b", ""), ("c", "c")]),
        ("ac", "abc", [("a", "a"), ("", "b"), ("c", "c")]),
        ("", "ab", [("", "a"), ("", "b")]),
    ],
)
def test_aligned(said, heard, pairs):
    assert aligned(said, heard, CHARACTERS) == pairs


def test_aligned_words():
    assert aligned("ka na", "ka ti na", WORDS) == [("ka", "ka"), ("", "ti"), ("na", "na")]
    assert aligned("", "ka na", WORDS) == [("", "ka"), ("", "na")]


@given(TEXT, TEXT)
def test_an_alignment_loses_nothing_and_has_as_few_errors_as_can_be(said, heard):
    pairs = aligned(said, heard, CHARACTERS)
    assert "".join(a for a, _ in pairs) == said
    assert "".join(b for _, b in pairs) == heard
    assert sum(a != b for a, b in pairs) == distance(said, heard)


def test_no_utterance_no_counts():
    assert error_counts([], [], WORDS).shape == (0, 2)
    assert np.array_equal(rate(np.array([[0, 0], [3, 0], [1, 2]])), [0, 1, 0.5])
