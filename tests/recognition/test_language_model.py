import gzip
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from u2u_hf import model_folder
from u2u_hf.recognition.language_model import END, START, LanguageModel, learn, load, save
from u2u_hf.records import U2UError


def probability(model, text, character):
    return math.exp(model.log_prob(START + text, character))


def test_witten_bell_by_hand():
    """ "ab" and "a": a, b, END, a, END; three kinds, so each and the unknown have 1/4 below the counts."""
    model = learn(["ab", "a"], order=2)
    # 5 characters of 3 kinds: λ = 3 / (3 + 5).
    once = {"a": 2 / 8 + 3 / 8 / 4, "b": 1 / 8 + 3 / 8 / 4, END: 2 / 8 + 3 / 8 / 4}
    # After the start, "a" twice: one kind, λ = 1 / 3.
    assert probability(model, "", "a") == pytest.approx(2 / 3 + 1 / 3 * once["a"])
    assert probability(model, "", "b") == pytest.approx(1 / 3 * once["b"])
    # After "a", "b" and the end, once each: λ = 2 / 4.
    assert probability(model, "a", "b") == pytest.approx(1 / 4 + 2 / 4 * once["b"])
    assert probability(model, "a", "a") == pytest.approx(2 / 4 * once["a"])
    assert probability(model, "a", "ñ") == pytest.approx(2 / 4 * 3 / 8 / 4)


texts = st.lists(st.text("abñ ", max_size=8), min_size=1).filter(lambda rows: "".join(rows).strip())


@given(texts, st.text("abñ|", max_size=8), st.integers(1, 5))
def test_probabilities_sum_to_one_after_any_text(rows, before, order):
    model = learn(rows, order)
    known = {ngram for ngram in model.log_probs if len(ngram) == 1}
    total = sum(probability(model, before, c) for c in known) + probability(model, before, "u")
    assert total == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(texts, st.text("abñ|", max_size=8), st.integers(1, 5))
def test_what_is_saved_is_read_back(tmp_path_factory, rows, before, order):
    folder = tmp_path_factory.mktemp("model")
    model = learn(rows, order)
    save(model, folder)
    again = load(str(folder))
    assert (again.weight, again.bonus) == (model.weight, model.bonus)
    for character in ("a", "b", "|", END, "u"):
        assert again.log_prob(START + before, character) == pytest.approx(
            model.log_prob(START + before, character), abs=1e-5
        )


def test_the_file_is_as_other_programs_read_it(tmp_path):
    save(learn(["ab", "a b"], order=2), tmp_path)
    lines = gzip.decompress((tmp_path / "language_model" / "characters.arpa.gz").read_bytes()).decode().splitlines()
    assert lines[:4] == ["\\data\\", "ngram 1=6", "ngram 2=5", ""]
    assert lines[-1] == "\\end\\"
    spelled = [line.split("\t")[1] for line in lines if "\t" in line]
    assert set(spelled[:6]) == {"a", "b", "|", "</s>", "<s>", "<unk>"}
    assert set(spelled[6:]) == {"<s> a", "a b", "b </s>", "a |", "| b"}


def test_there_is_none_or_it_is_damaged(tmp_path):
    assert load(str(tmp_path)) is None
    save(learn(["a"]), tmp_path)
    path = tmp_path / "language_model" / "characters.arpa.gz"
    whole = path.read_bytes()
    weights = tmp_path / "language_model" / "weights.json"
    damaged = [whole[:-20], whole[:20] + b"\xff" * 20 + whole[40:], b"", gzip.compress(b"\\end\\\na\tb\n")]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(U2UError, match=r"language_model: .* cannot be read: it is damaged: make it again"):
            load(str(tmp_path))
    path.write_bytes(whole)
    for number in ("NaN", "Infinity", "[]", "null"):
        weights.write_text(f'{{"weight": {number}, "bonus": 0.0}}')
        with pytest.raises(U2UError, match=r"language_model: .* it is damaged: make it again"):
            load(str(tmp_path))
    with pytest.raises(U2UError, match="hold no character"):
        learn(["", " "])
    with pytest.raises(U2UError, match="--order 0: give a number"):
        learn(["a"], 0)
    model_folder.remove(tmp_path, "language_model")
    model_folder.remove(tmp_path, "language_model")
    assert load(str(tmp_path)) is None


def test_characters_that_never_come_cost_the_same_in_every_text():
    model = learn(["aba"])
    assert isinstance(model, LanguageModel)
    assert model.log_prob(START, "x") == model.log_prob(START, "y") < model.log_prob(START, "b")
