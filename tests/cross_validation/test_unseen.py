import numpy as np
import pytest

from u2u_hf.cross_validation.unseen import Character, Unseen, as_lines, characters, read_lines
from u2u_hf.evaluation.scoring import Pair
from u2u_hf.recognition.decoding import Labels
from u2u_hf.records import U2UError, Word

LABELS = Labels(("", "|", "a", "b"))


def test_characters_with_their_probabilities_worked_out_by_hand():
    # Frames: blank, a, a, blank, b. The a is surest in its second frame: 0.8, and the next best there is b with 0.1.
    probabilities = [[0.7, 0.1, 0.1, 0.1], [0.2, 0.1, 0.6, 0.1], [0.05, 0.05, 0.8, 0.1], [0.9, 0.0, 0.1, 0.0]]
    probabilities += [[0.3, 0.1, 0.1, 0.5]]
    with np.errstate(divide="ignore"):
        found = characters(np.log(np.array(probabilities, dtype=np.float32)), LABELS)
    assert [(c.symbol, c.first, c.last) for c in found] == [("a", 1, 2), ("b", 4, 4)]
    assert [c.log_prob for c in found] == pytest.approx(np.log([0.8, 0.5]), abs=1e-4)
    assert [c.margin for c in found] == pytest.approx([np.log(8), np.log(5 / 3)], abs=1e-4)
    assert characters(np.zeros((0, 4), dtype=np.float32), LABELS) == []


def unseen(row=0, reference="ka", hypothesis="ka na", **changed):
    pair = Pair("r", "tx", "Ana", 100, 900, reference, hypothesis)
    words = tuple(Word(text, 0, 100, 0.5) for text in hypothesis.split())
    values = {"fold": 1, "is_new_sentence": True, "frames": 39, "confidence": 0.5} | changed
    characters = (Character("k", 1, 2, -0.1, 2.5),)
    told = {"word_features": ((-0.5, -0.25),) * len(words), "sums": (0.0, 1.5)}
    return Unseen(row=row, pair=pair, words=words, characters=characters, **told, **values)


def test_what_is_written_is_read_again(tmp_path):
    found = [unseen(), unseen(3, "\u2028 á\x85", ""), unseen(4, fold=2, is_new_sentence=False)]
    (tmp_path / "lines").write_text(as_lines(found), encoding="utf-8")
    assert read_lines(tmp_path / "lines") == found
    assert read_lines(tmp_path / "missing") == []


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "lines").write_text(as_lines([unseen()])[:-20], encoding="utf-8")
    with pytest.raises(U2UError, match="lines: is damaged: remove it, and run the command again"):
        read_lines(tmp_path / "lines")
