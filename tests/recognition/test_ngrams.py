import numpy as np
import pytest

from u2u_hf.recognition import ngrams
from u2u_hf.recognition.language_model import learn
from u2u_hf.recognition.word_model import START


def test_counts_of_a_text_by_hand():
    """0 1 2 1 2: of two symbols 01, 12 (twice), 21; of three 012, 121, 212."""
    levels, lowest = ngrams.learn(np.array([0, 1, 2, 1, 2]), np.zeros(5, np.int64), 3, 0)
    assert [level.symbols.tolist() for level in levels] == [[0, 1, 2], [1, 2, 1], [2, 1, 2]]
    assert [level.parents.tolist() for level in levels] == [[0, 0, 0], [0, 1, 2], [0, 1, 2]]
    assert [level.counts.tolist() for level in levels] == [[0, 2, 2], [1, 2, 1], [1, 1, 1]]
    assert [level.shorter.tolist() for level in levels[1:]] == [[1, 2, 1], [1, 2, 1]]
    assert lowest == pytest.approx(2 / 6)  # four symbols of two kinds; the start is never predicted
    assert levels[0].own.tolist() == pytest.approx([0, 2 / 6, 2 / 6])
    assert levels[0].backoffs.tolist() == pytest.approx([1 / 2, 1 / 3, 1 / 2])


def test_rare_ngrams_are_dropped_and_their_probability_goes_to_the_shorter_ones(monkeypatch):
    """Words "a b" twice and "a c" once. After "a": b 2, c 1, two kinds: 2/5, 1/5 and λ = 2/5; without "a c" λ = 3/5."""
    rows = ["a b", "a b", "a c"]
    whole = learn(rows).words
    assert [len(level.words) for level in whole.levels] == [4, 3, 2]
    monkeypatch.setattr(ngrams, "_MOST", 4)
    cut = learn(rows).words
    assert [len(level.words) for level in cut.levels] == [4, 3, 1]  # the longest first: "<s> a c"
    monkeypatch.setattr(ngrams, "_MOST", 3)
    cut = learn(rows).words
    assert [len(level.words) for level in cut.levels] == [4, 2, 1]
    assert cut.vocabulary == [START, "a", "b", "c"]  # words stay
    a = cut.vocabulary.index("a")
    assert (whole.levels[0].backoffs[a], cut.levels[0].backoffs[a]) == pytest.approx((2 / 5, 3 / 5))
