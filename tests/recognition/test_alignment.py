import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchaudio.functional import forced_align

from u2u_hf.frames import frames_needed
from u2u_hf.recognition.alignment import align, best_path
from u2u_hf.recognition.decoding import Labels, greedy_words

LABELS = Labels(("", "", "|", "a", "b", "ñ"), blank=0)


def log_probs(path, peak=0.9):
    rows = np.full((len(path), len(LABELS.symbols)), (1 - peak) / (len(LABELS.symbols) - 1), dtype=np.float32)
    rows[np.arange(len(path)), path] = peak
    return np.log(rows)


#        0  1  2  3  4  5  6  7  8
PATH = [0, 3, 3, 4, 0, 2, 0, 5, 0]  # "ab ñ"


def test_words_have_the_times_of_their_frames():
    words, fit = align(log_probs(PATH), "ab ñ", LABELS, start_ms=1000)
    assert words == greedy_words(log_probs(PATH), LABELS, start_ms=1000)
    assert [(w.text, w.start_ms, w.end_ms) for w in words] == [("ab", 1022, 1082), ("ñ", 1142, 1162)]
    assert fit == pytest.approx(1)


def test_the_fit_is_the_ratio_of_probabilities_for_each_character():
    # "aa" where "a", blank, "b" is best: the last frame has 0.02 in place of 0.9, and there are two characters.
    words, fit = align(log_probs([3, 0, 4]), "aa", LABELS)
    assert fit == pytest.approx(math.sqrt(0.02 / 0.9), rel=1e-4)
    assert words[0].confidence == pytest.approx(math.sqrt(0.9 * 0.02), rel=1e-4)
    # A word that the text lacks counts by the characters of what was heard: 3 of them, 2 in frames of their own.
    _, fit = align(log_probs([3, 0, 2, 4]), "a", LABELS)
    assert fit == pytest.approx((0.02 / 0.9) ** (2 / 3), rel=1e-4)


def test_letters_that_are_no_label_are_left_out():
    words, fit = align(log_probs(PATH), "xax zz bñ", LABELS)
    assert [w.text for w in words] == ["xax", "bñ"]
    assert 0 < fit < 1
    assert align(log_probs(PATH), "zz", LABELS) == ([], 0.0)
    assert align(log_probs(PATH), "", LABELS) == ([], 0.0)


def test_a_text_too_long_for_its_sound():
    assert align(log_probs([3, 3]), "aa", LABELS) == ([], 0.0)  # the blank between would be a third frame
    assert align(np.zeros((0, 6), np.float32), "a", LABELS) == ([], 0.0)
    assert len(align(log_probs([3, 0, 3]), "aa", LABELS)[0]) == 1


def test_without_a_delimiter_words_follow_each_other():
    labels = Labels(("", "a", "b"))
    rows = np.log(np.array([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]], dtype=np.float32))
    words, _ = align(rows, "a b", labels)
    assert [(w.text, w.start_ms, w.end_ms) for w in words] == [("a", 2, 22), ("b", 42, 62)]


@given(st.lists(st.integers(0, 5), max_size=40))
def test_what_is_heard_fits_and_lies_where_it_was_heard(path):
    path = [0 if label == 1 else label for label in path]  # no text has the unknown character
    rows = log_probs(np.array(path, dtype=int))
    heard = greedy_words(rows, LABELS)
    words, fit = align(rows, " ".join(w.text for w in heard), LABELS)
    assert [w.text for w in words] == [w.text for w in heard]
    assert all(0 < w.confidence <= 1 for w in words)
    if heard and path.count(2) == len(heard) - 1 and not (path[0] == 2 or path[-1] == 2):
        assert fit == pytest.approx(1)
        assert words == heard


def torchaudios_path(rows, targets, blank):
    path, _ = forced_align(torch.from_numpy(rows)[None], torch.tensor([targets], dtype=torch.int32), blank=blank)
    return path[0].tolist()


def our_path(rows, targets, blank):
    spelled = [label for target in targets for label in (blank, target)] + [blank]
    return [spelled[state] for state in best_path(rows, targets, blank)]


@pytest.mark.parametrize("kind", ["noise", "speech", "all alike", "impossible labels", "whole numbers"])
def test_paths_are_those_of_torchaudio(kind):
    rng = np.random.default_rng(0)
    for _ in range(300):
        labels = int(rng.integers(2, 8))
        blank = int(rng.integers(labels))
        others = [label for label in range(labels) if label != blank]
        targets = [int(label) for label in rng.choice(others, int(rng.integers(1, 13)))]  # with repeats
        frames = frames_needed(targets) + int(rng.choice([0, 1, 5, 40]))
        logits = rng.standard_normal((frames, labels)) * (8 if kind == "speech" else 1)
        if kind == "all alike":
            logits[:] = 0
        rows = (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)
        if kind == "impossible labels":
            rows[rng.random(rows.shape) < 0.02] = -1e4
        if kind == "whole numbers":
            rows = np.round(rows)
        ours, theirs = our_path(rows, targets, blank), torchaudios_path(rows, targets, blank)
        if kind == "whole numbers":  # of many equal paths torchaudio may take a worse one, see the next test
            assert rows[range(frames), ours].sum() >= rows[range(frames), theirs].sum()
        else:
            assert ours == theirs


def test_a_label_reached_equally_well_in_two_ways_is_reached():
    rows = np.array([[-1, -2, -1], [0, -1, -1], [-1, -1, -1]], dtype=np.float32)
    # To say 1 and then 2: 1, blank, 2 has -3, and so has blank, 1, 2; 1, 2, 2 has -4, and is torchaudio's.
    assert our_path(rows, [1, 2], blank=0) == [1, 0, 2]
    assert torchaudios_path(rows, [1, 2], blank=0) == [1, 2, 2]


def test_the_path_of_a_long_text_is_that_of_torchaudio():
    rng = np.random.default_rng(1)
    targets = [int(label) for label in rng.integers(1, 30, 200)]
    rows = np.log(rng.dirichlet(np.full(30, 0.1), 1000) + 1e-9).astype(np.float32)
    assert our_path(rows, targets, 0) == torchaudios_path(rows, targets, 0)
