import dataclasses
import gzip
import json
import math

import pytest
from huggingface_hub import constants
from hypothesis import given, settings
from hypothesis import strategies as st
from support.probabilities import log_prob

from u2u_hf import model_folder
from u2u_hf.recognition import word_model
from u2u_hf.recognition.character_model import END, GAP, START
from u2u_hf.recognition.language_model import LanguageModel, learn, load, save
from u2u_hf.records import U2UError


def probability(model, text, character):
    return math.exp(log_prob(model, START + text, character))


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


# Letters of "ka mi" and "ka", each by itself: k, a and the end twice; the space, m and i once; 9 of 6 kinds, and one
# kind unknown. λ = 6 / (6 + 9).
TWICE, ONCE = 2 / 15 + 6 / 15 / 7, 1 / 15 + 6 / 15 / 7


@pytest.fixture
def half_words():
    return dataclasses.replace(learn(["ka mi", "ka"], order=1), share=0.5)


def test_words_and_letters_by_hand(half_words):
    """Of the words "ka" comes twice and "mi" once: 2/5 and 1/5, and 2/5 for all others, which letters spell.

    After the start "ka" twice, λ = 1/3. After "ka" "mi" once, λ = 1/2; so after the start and "ka".
    """
    known = 0.5 * (2 / 3 + 1 / 3 * 2 / 5)  # of "ka" at the start
    letters = 0.5 + 0.5 * 1 / 3 * 2 / 5  # the share of letters there
    assert probability(half_words, "", "k") == pytest.approx(known + letters * TWICE)
    assert probability(half_words, "", "m") == pytest.approx(0.5 * 1 / 3 * 1 / 5 + letters * ONCE)
    assert probability(half_words, "", "a") == pytest.approx(letters * TWICE)
    # After "k" both may follow: the word "ka", and letters that happen to begin with k.
    spelled = letters * TWICE
    assert probability(half_words, "k", "a") == pytest.approx((known + spelled * TWICE) / (known + spelled))
    assert probability(half_words, "k", "i") == pytest.approx(spelled * ONCE / (known + spelled))
    # "ka" ends as a word, or as letters do; letters alone say whether the text ends with it.
    spelled *= TWICE
    ends = (known + spelled * (ONCE + TWICE)) / (known + spelled)
    assert probability(half_words, "ka", "|") == pytest.approx(ends * ONCE / (ONCE + TWICE))
    assert probability(half_words, "ka", END) == pytest.approx(ends * TWICE / (ONCE + TWICE))
    # After "ka": "mi" by three words, by two, and by itself.
    assert probability(half_words, "ka|", "m") == pytest.approx(
        0.5 * (1 / 2 + 1 / 2 * 1 / 2 + 1 / 4 * 1 / 5) + (0.5 + 0.5 * 1 / 4 * 2 / 5) * ONCE
    )


def test_a_word_that_no_text_has_is_spelled_by_letters(half_words):
    letters = learn(["ka mi", "ka"], order=1)
    # After "i" there is no word left; after "ii" also none, and the next word has no context but itself.
    assert probability(half_words, "i", "i") == pytest.approx(probability(letters, "i", "i"))
    assert probability(half_words, "i", "ñ") == pytest.approx(6 / 15 / 7)
    assert probability(half_words, "ii|", "k") == pytest.approx(0.5 * 2 / 5 + (0.5 + 0.5 * 2 / 5) * TWICE)


def test_without_a_share_of_words_nothing_changes():
    model = learn(["ka mi", "ka"], order=3)
    alone = dataclasses.replace(model, words=None)
    for text in ("", "k", "ka", "ka|", "ka|m", "mi|ka"):
        for character in ("k", "a", "|", END, "u"):
            assert log_prob(model, START + text, character) == log_prob(alone, START + text, character)
            assert log_prob(alone, START + text, character) == model.characters.log_prob(START + text, character)


def test_nothing_is_learned_over_a_gap():
    model = learn([f"ka {GAP} mi", f"{GAP} mu {GAP}"], order=3)
    spelled = {"".join(ngram) for ngram in model.characters.log_probs}
    assert {"a|", "|m", "ka|", "mi|"} & spelled == {"a|", "|m", "ka|"}
    assert not any(GAP in ngram for ngram in spelled)
    assert f"{START}m" not in spelled
    assert model.words.vocabulary == [START, "ka", "mi", "mu"]
    once, twice, *more = model.words.levels
    assert (len(once.words), len(twice.words), more) == (4, 1, [])  # only "ka" after the start


texts = st.lists(st.text("abñ ", max_size=8), min_size=1).filter(lambda rows: "".join(rows).strip())
shares = st.sampled_from([0, 0.3, 1])


@given(texts, st.text("abñ|", max_size=8), st.integers(1, 5), shares)
def test_probabilities_sum_to_one_after_any_text(rows, before, order, share):
    model = dataclasses.replace(learn(rows, order), share=share)
    known = {ngram for ngram in model.characters.log_probs if len(ngram) == 1} | {"|"}
    total = sum(probability(model, before, c) for c in known)
    total += probability(model, before, "u") * (1 if "|" in model.characters.log_probs else 0)
    if "|" not in model.characters.log_probs:  # then a space is one of the unknown characters
        total = sum(probability(model, before, c) for c in known)
    assert total == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(texts, st.text("abñ|", max_size=8), st.integers(1, 5), shares)
def test_what_is_saved_is_read_back(tmp_path_factory, rows, before, order, share):
    folder = tmp_path_factory.mktemp("model")
    model = dataclasses.replace(learn(rows, order), share=share)
    save(model, folder)
    again = load(str(folder))
    assert (again.weight, again.bonus, again.share) == (model.weight, model.bonus, share)
    assert (again.words is None) == (share == 0)
    for character in ("a", "b", "|", END, "u"):
        assert log_prob(again, START + before, character) == pytest.approx(
            log_prob(model, START + before, character), abs=1e-5
        )


def lines_of(path):
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_the_files_are_as_other_programs_read_them(tmp_path, half_words):
    save(dataclasses.replace(learn(["ab", "a b"], order=2)), tmp_path)
    folder = tmp_path / "language_model"
    assert sorted(path.name for path in folder.iterdir()) == ["characters.arpa.gz", "weights.json"]
    lines = lines_of(folder / "characters.arpa.gz")
    assert lines[:4] == ["\\data\\", "ngram 1=6", "ngram 2=5", ""]
    assert lines[-1] == "\\end\\"
    spelled = [line.split("\t")[1] for line in lines if "\t" in line]
    assert set(spelled[:6]) == {"a", "b", "|", "</s>", "<s>", "<unk>"}
    assert set(spelled[6:]) == {"<s> a", "a b", "b </s>", "a |", "| b"}
    save(half_words, tmp_path)
    words = [line.split("\t") for line in lines_of(folder / "words.arpa.gz") if "\t" in line]
    assert [row[1] for row in words] == ["<s>", "ka", "mi", "<unk>", "<s> ka", "ka mi", "<s> ka mi"]
    probabilities = {spelled: 10 ** float(log10) for log10, spelled, *_ in words}
    assert probabilities["ka"] + probabilities["mi"] + probabilities["<unk>"] == pytest.approx(1)
    # A program that reads ARPA adds nothing to these: 2/3 + 1/3 · 2/5.
    assert probabilities["<s> ka"] == pytest.approx(2 / 3 + 1 / 3 * 2 / 5, abs=1e-6)
    assert probabilities["<s> ka mi"] == pytest.approx(1 / 2 + 1 / 2 * (1 / 2 + 1 / 2 * 1 / 5), abs=1e-6)


def test_a_folder_from_before_there_were_words_is_loaded(tmp_path):
    """As version 0.1.0 wrote it: weights without a share, and no file of words."""
    folder = tmp_path / "language_model"
    folder.mkdir()
    (folder / "weights.json").write_text('{\n  "weight": 0.7,\n  "bonus": 1.0\n}\n')
    arpa = (
        "\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n-0.5\t</s>\n-0.25\ta\t-0.125\n-99.0\t<s>\t-0.75\n-2\t<unk>\n\n"
    )
    arpa += "\\2-grams:\n-0.0625\t<s> a\n\n\\end\\\n"
    (folder / "characters.arpa.gz").write_bytes(gzip.compress(arpa.encode()))
    model = load(str(tmp_path))
    assert (model.weight, model.bonus, model.share, model.words) == (0.7, 1.0, 0.0, None)
    assert log_prob(model, START, "a") == pytest.approx(-0.0625 * math.log(10))
    assert log_prob(model, START, END) == pytest.approx((-0.75 - 0.5) * math.log(10))
    assert log_prob(model, f"{START}a", "u") == pytest.approx((-0.125 - 2) * math.log(10))
    save(model, tmp_path)  # it is ours, and may be replaced
    assert json.loads((folder / "weights.json").read_text()) == {"weight": 0.7, "bonus": 1.0, "share": 0.0}


def test_killed_while_it_is_saved_the_earlier_one_stays(tmp_path, half_words, monkeypatch):
    save(half_words, tmp_path)
    (tmp_path / "language_model" / "mine.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in (tmp_path / "language_model").iterdir()}

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(word_model, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        save(dataclasses.replace(learn(["mi ka"], order=1), share=0.9), tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "language_model").iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["language_model"]
    # Killed while the files are moved, there is none.
    monkeypatch.undo()
    monkeypatch.setattr(model_folder, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        save(learn(["mi ka"], order=1), tmp_path)
    assert load(str(tmp_path)) is None
    monkeypatch.undo()
    save(learn(["mi ka"], order=1), tmp_path)
    assert sorted(path.name for path in (tmp_path / "language_model").iterdir()) == [
        "characters.arpa.gz",
        "mine.txt",
        "weights.json",
    ]


def test_there_is_none_or_it_is_damaged(tmp_path, half_words):
    assert load(str(tmp_path)) is None
    save(half_words, tmp_path)
    weights = tmp_path / "language_model" / "weights.json"
    for name in ("characters.arpa.gz", "words.arpa.gz"):
        path = tmp_path / "language_model" / name
        whole = path.read_bytes()
        damaged = [whole[:-20], whole[:20] + b"\xff" * 20 + whole[40:], b"", gzip.compress(b"\\end\\\na\tb\n")]
        for content in damaged:
            path.write_bytes(content)
            with pytest.raises(U2UError, match=r"language_model: .* cannot be read: it is damaged: make it again"):
                load(str(tmp_path))
        path.unlink()
        if name.startswith("words"):
            with pytest.raises(U2UError, match=r"language_model: .* cannot be read: it is damaged: make it again"):
                load(str(tmp_path))
        path.write_bytes(whole)
    for number in ("NaN", "Infinity", "[]", "null"):
        for changed in ("weight", "share"):
            weights.write_text(json.dumps({"weight": 0.5, "bonus": 0, changed: "?"}).replace('"?"', number))
            with pytest.raises(U2UError, match=r"language_model: .* it is damaged: make it again"):
                load(str(tmp_path))
    with pytest.raises(U2UError, match="hold no character"):
        learn(["", " "])
    with pytest.raises(U2UError, match="--order 0: give a number"):
        learn(["a"], 0)
    model_folder.remove(tmp_path, "language_model")
    model_folder.remove(tmp_path, "language_model")
    assert load(str(tmp_path)) is None


def test_a_file_that_the_hub_does_not_give_now_is_not_called_damaged(tmp_path, half_words, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))  # conftest.py has set HF_HUB_OFFLINE
    snapshot = tmp_path / "models--ana--ears" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (tmp_path / "models--ana--ears" / "refs").mkdir()
    (tmp_path / "models--ana--ears" / "refs" / "main").write_text(snapshot.name)
    save(half_words, snapshot)
    assert load("ana/ears").share == half_words.share
    (snapshot / "language_model" / "words.arpa.gz").unlink()
    with pytest.raises(U2UError, match=r"cannot be read: the Hub does not give its words\.arpa\.gz: check"):
        load("ana/ears")


def test_characters_that_never_come_cost_the_same_in_every_text():
    model = learn(["aba"])
    assert isinstance(model, LanguageModel)
    assert log_prob(model, START, "x") == log_prob(model, START, "y") < log_prob(model, START, "b")
