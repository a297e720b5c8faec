import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from u2u_hf.recognition.decoding import Labels, collapse, confidence, greedy_words
from u2u_hf.records import Word

LABELS = Labels(("", "", "|", "a", "b", "ñ"), blank=0)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ([], ""),
        ([0, 0, 0], ""),
        ([3, 3, 3], "a"),
        ([3, 0, 3], "aa"),
        ([3, 3, 0, 0, 3, 4, 4], "aab"),
        ([3, 2, 4], "a b"),
        ([2, 2, 3, 2, 0, 2, 4, 2], "a b"),
        ([3, 1, 4], "ab"),  # the unknown character is silent
        ([5, 0, 5], "ññ"),
    ],
)
def test_collapse(path, text):
    assert collapse(path, LABELS) == text


def log_probs(path, peak=0.9):
    rows = np.full((len(path), len(LABELS.symbols)), (1 - peak) / (len(LABELS.symbols) - 1), dtype=np.float32)
    rows[np.arange(len(path)), path] = peak
    return np.log(rows)


def test_words_have_the_times_of_their_frames():
    #                  0  1  2  3  4  5  6  7  8
    words = greedy_words(log_probs([0, 3, 3, 4, 0, 2, 0, 5, 0]), LABELS, start_ms=1000)
    # "ab" from frame 1 (22 ms) to the end of frame 3 (82 ms); "ñ" is frame 7: 142 to 162 ms.
    assert [(w.text, w.start_ms, w.end_ms) for w in words] == [("ab", 1022, 1082), ("ñ", 1142, 1162)]
    assert [w.confidence for w in words] == pytest.approx([0.9, 0.9])


def test_confidence_is_the_geometric_mean_of_characters_at_their_peak():
    rows = log_probs([3, 3, 4], 0.5)
    rows[1, 3] = math.log(0.8)  # "a" peaks in its second frame
    (word,) = greedy_words(rows, LABELS)
    assert word.confidence == pytest.approx(math.sqrt(0.8 * 0.5))
    assert confidence([Word("ab", 0, 1, 0.4), Word("x", 1, 2, 0.9)]) == pytest.approx((0.4**2 * 0.9) ** (1 / 3))
    assert confidence([]) == 0


def test_nothing_heard():
    assert greedy_words(np.zeros((0, 6), dtype=np.float32), LABELS) == []
    assert greedy_words(log_probs([0, 0, 2, 0]), LABELS) == []


@given(st.lists(st.integers(0, 5), max_size=60))
def test_words_are_the_collapsed_text_in_order(path):
    words = greedy_words(log_probs(np.array(path, dtype=int)), LABELS)
    assert " ".join(w.text for w in words) == collapse(path, LABELS)
    assert all(w.text for w in words)
    assert all(a.end_ms <= b.start_ms for a, b in itertools.pairwise(words))
