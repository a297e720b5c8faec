import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.probabilities import log_prob

from u2u_hf.recognition.beam_search import beam_search
from u2u_hf.recognition.character_model import END, START
from u2u_hf.recognition.decoding import Labels, collapse
from u2u_hf.recognition.language_model import learn

LABELS = Labels(("", "|", "a", "b", ""), blank=0)  # the last one is the unknown character


def score_of_texts(log_probs, model=None):
    """By the definition: every path, one after the other."""
    texts = {}
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        silent = [0 if label == 4 else label for label in path]
        text = collapse(silent, LABELS)
        texts[text] = np.logaddexp(texts.get(text, -np.inf), log_probs[np.arange(len(path)), path].sum())
    if model:
        for text in texts:
            spelled = START + text.replace(" ", "|")
            for at in range(1, len(spelled)):
                texts[text] += model.weight * log_prob(model, spelled[:at], spelled[at]) + model.bonus
            texts[text] += model.weight * log_prob(model, spelled, END)
    return texts


def rows(draw):
    numbers = draw(st.lists(st.lists(st.floats(-4, 0), min_size=5, max_size=5), max_size=5))
    scores = np.array(numbers, dtype=np.float32).reshape(-1, 5)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


@settings(max_examples=150, deadline=None)
@given(st.composite(rows)(), st.sampled_from([None, 0, 0.5, 1]))
def test_the_best_text_is_found_among_all(log_probs, share):
    model = None if share is None else dataclasses.replace(learn(["ab a", "b ab ab"], order=3), share=share)
    texts = score_of_texts(log_probs, model)
    found = beam_search(log_probs, LABELS, model, width=10_000)
    assert texts[found] == pytest.approx(max(texts.values()), abs=1e-4)


def test_many_paths_outweigh_the_best_one():
    # Blank is the best label of both frames, 0.6 · 0.6 = 0.36; "a" has 0.4 · 0.6 · 2 + 0.4 · 0.4 = 0.64.
    log_probs = np.log(np.array([[0.6, 1e-9, 0.4, 1e-9, 1e-9]] * 2, dtype=np.float32))
    assert collapse(log_probs.argmax(1), LABELS) == ""
    assert beam_search(log_probs, LABELS) == "a"


def test_the_language_model_decides_where_the_sound_does_not():
    log_probs = np.log(np.array([[0.02, 0.02, 0.48, 0.46, 0.02], [0.96, 0.01, 0.01, 0.01, 0.01]] * 2, dtype=np.float32))
    assert beam_search(log_probs, LABELS) == "aa"
    assert beam_search(log_probs, LABELS, learn(["ba", "ba", "ba"])) == "ba"


def test_words_decide_where_letters_do_not():
    """ "baa" and "aba" are as probable by letters of order 1, and as heard; only one of them is a word."""
    log_probs = np.log(np.array([[0.02, 0.02, 0.47, 0.47, 0.02], [0.96, 0.01, 0.01, 0.01, 0.01]] * 3, dtype=np.float32))
    for word in ("baa", "aba"):
        model = dataclasses.replace(learn([f"{word} {word}"] * 3, order=1), share=0.9)
        assert beam_search(log_probs, LABELS, model) == word


def test_frames_of_silence_change_no_text():
    heard = np.log(np.array([[0.3, 0.1, 0.3, 0.28, 0.02], [0.1, 0.3, 0.3, 0.28, 0.02]] * 2, dtype=np.float32))
    silence = np.full((50, 5), -20.0, np.float32)
    silence[:, 0] = 0
    model = learn(["ab a", "b ab ab"], order=3)
    assert beam_search(np.concatenate([silence, heard, silence]), LABELS, model) == beam_search(heard, LABELS, model)


def test_nothing_heard():
    assert beam_search(np.zeros((0, 5), np.float32), LABELS, learn(["a"])) == ""


@given(st.lists(st.integers(0, 3), max_size=40))
def test_where_one_path_is_sure_it_is_found(path):
    log_probs = np.full((len(path), 5), -20.0, dtype=np.float32)
    log_probs[np.arange(len(path)), path] = 0
    assert beam_search(log_probs, LABELS) == collapse(path, LABELS)
