import dataclasses
import importlib.util
import json
import random
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import RECIPES
from datasets import Dataset

from u2u_hf import output_folder
from u2u_hf.demo.corpus import sentence
from u2u_hf.recognition import calibration
from u2u_hf.recognition.beam_search import best_text
from u2u_hf.recognition.calibration import Calibration, Calibrations, Isotonic, Linear
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.language_model import learn, load
from u2u_hf.training.language_model_tuning import BONUSES, SHARES, WEIGHTS, Tried, best_of, table, try_all, with_words

LABELS = Labels(("", "|", "a", "b"), blank=0)


def log_probs(*rows):
    rows = np.log(np.array(rows, dtype=np.float32) + 1e-6)
    return rows - np.logaddexp.reduce(rows, axis=1, keepdims=True)


def test_a_language_model_that_knows_the_language_is_weighed_so_that_it_helps():
    # The sound leans to "aa" where "ba" is said.
    heard = [log_probs([0, 0, 0.6, 0.4], [1, 0, 0, 0], [0, 0, 1, 0])] * 3
    without, tried = try_all(heard, ["ba"] * 3, LABELS, {"letters": learn(["ba", "ba ba"])})
    assert (without.cer, without.wer, without.language_model) == (0.5, 1, None)
    assert (tried.name, tried.cer, tried.wer) == ("letters", 0, 0)
    assert tried.language_model.weight in WEIGHTS
    assert tried.language_model.bonus in BONUSES
    assert best_of([without, tried]) is tried


def test_one_of_another_language_does_not():
    heard = [log_probs([0, 0, 0.6, 0.4], [1, 0, 0, 0], [0, 0, 1, 0])] * 3
    without, tried = try_all(heard, ["aa"] * 3, LABELS, {"letters": learn(["bbbb"])})
    assert tried.cer >= without.cer == 0
    assert best_of([without, tried]) is without  # the first of equals


def test_of_equal_character_error_rates_words_decide():
    none, letters, words = (Tried(name, None, 0.1, wer) for name, wer in (("a", 0.5), ("b", 0.4), ("c", 0.4)))
    assert best_of([none, letters, words]) is letters
    assert table([none, letters]).splitlines() == [
        "validation with",
        "  a  CER 10.00%  WER 50.00%",
        "  b  CER 10.00%  WER 40.00%",
    ]


def test_words_get_the_share_that_makes_texts_most_probable():
    texts = ["abab ba abba ba abab"] * 3
    words = learn(texts, order=1)
    assert with_words(words, texts).share == SHARES[-1]  # always the same words
    assert with_words(words, ["aaaa bbbb aaa bb aab"] * 3).share == 0  # never one of them
    middle = with_words(learn(["ab", "ba"], order=1), ["ab", "ba", "aa", "bb", "bba", "aab"])
    assert 0 < middle.share < 1


def text_of_the_demo(words, english=False):
    lines, count = [], 0
    rng = random.Random(7)
    while count < words:
        lines.append(f"{sentence(rng)[english].capitalize()}.")
        count += len(lines[-1].split())
    return "\n".join(lines)


def scores(recipe, model, dataset, folder):
    command = ["--model", model, "--dataset", dataset, "--split", "validation", "--output_dir", folder]
    assert recipe("evaluate.py", *command).returncode == 0
    found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return found["cer"], found["wer"], (folder / "pairs.tsv").read_text(encoding="utf-8")


def test_the_recipe_keeps_what_helps_and_transcription_uses_it(
    recipe, trained_model, demo_dataset, demo_folder, tmp_path
):
    model = tmp_path / "model"
    shutil.copytree(trained_model, model)
    (tmp_path / "texts.txt").write_text(text_of_the_demo(1000), encoding="utf-8")
    result = recipe("language_model.py", "--model", model, "--dataset", demo_dataset, "--texts", tmp_path / "texts.txt")
    assert result.returncode == 0, result.stderr
    assert "kept: words of the transcripts and texts" in result.stdout, "the demo's head was learnt in seconds"
    weights = json.loads((model / "language_model" / "weights.json").read_text(encoding="utf-8"))
    assert set(weights) == {"weight", "bonus", "share"}
    assert (model / "language_model" / "words.arpa.gz").exists() == (weights["share"] > 0)
    rates, texts = [], []
    for source in (trained_model, model):
        rates.append(scores(recipe, source, demo_dataset, tmp_path / f"{source.name}_scores")[0])
        out = tmp_path / f"{source.name}_out"
        command = ["--model", source, "--output_dir", out, "--formats", "json,eaf", "--queue"]
        result = recipe("transcribe.py", *command, demo_folder / "new_recordings")
        assert result.returncode == 0, result.stderr
        (path,) = out.glob("*.json")
        segments = json.loads(path.read_text(encoding="utf-8"))["segments"]
        texts.append([s["text"] for s in segments])
        for segment in segments:
            assert " ".join(w["text"] for w in segment["words"]) == segment["text"]
        assert len((out / "queue.tsv").read_text(encoding="utf-8").splitlines()) == len(segments) + 1
    assert texts[0] != texts[1]
    assert rates[0] > rates[1]


def test_text_of_another_language_changes_nothing(recipe, trained_model, demo_dataset, tmp_path):
    (tmp_path / "english.txt").write_text(text_of_the_demo(1000, english=True), encoding="utf-8")
    found = []
    for name, texts in (("with", ["--texts", tmp_path / "english.txt"]), ("without", [])):
        model = tmp_path / name
        shutil.copytree(trained_model, model)
        result = recipe("language_model.py", "--model", model, "--dataset", demo_dataset, *texts)
        assert result.returncode == 0, result.stderr
        assert ("texts: 0 of 1,0" in result.stdout) == bool(texts)
        files = {path.name: path.read_bytes() for path in (model / "language_model").glob("*")}
        found.append((files, scores(recipe, model, demo_dataset, tmp_path / f"{name}_scores")))
    assert found[0] == found[1]


def test_a_text_that_is_missing_is_named_before_any_work(recipe, trained_model, demo_dataset, tmp_path):
    arguments = ["--model", trained_model, "--dataset", demo_dataset, "--texts", tmp_path / "none"]
    result = recipe("language_model.py", *arguments, "--output_dir", tmp_path / "out")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"error: --texts {tmp_path / 'none'}: there is no such file or folder"
    assert not (tmp_path / "out").exists()


def test_killed_before_it_calibrates_the_recipe_leaves_no_calibration_of_another_language_model(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("language_model_recipe", RECIPES / "language_model.py")
    recipe = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, recipe)
    spec.loader.exec_module(recipe)
    own = Calibration(Isotonic((0.2, 0.6), (0.1, 0.5)), Linear((1, 0, 0, 0, 0)))
    calibration.save(Calibrations(own, own), tmp_path)
    heard = [log_probs([0, 0, 0.6, 0.4], [1, 0, 0, 0], [0, 0, 1, 0])] * 3

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(recipe, "load_splits", lambda _: {"validation": Dataset.from_dict({"text": ["ba"] * 3})})
    monkeypatch.setattr(recipe, "Recognizer", lambda _: SimpleNamespace(labels=LABELS))
    monkeypatch.setattr(recipe, "learn_all", lambda *_: ({"letters": learn(["ba", "ba ba"])}, ""))
    monkeypatch.setattr(recipe, "recognise", lambda *_: heard)
    monkeypatch.setattr(recipe, "calibrate", killed)
    monkeypatch.setattr(sys, "argv", ["language_model.py", "--model", str(tmp_path), "--dataset", "d"])
    with pytest.raises(KeyboardInterrupt):
        recipe.main()
    output_folder.give_back()
    assert load(str(tmp_path)) is not None
    assert calibration.load(str(tmp_path)) == Calibrations(own, None)


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_what_is_chosen_is_what_is_scored(share):
    """The rates of `try_all` are those of the model that it returns, share and all."""
    heard = [log_probs([0, 0, 0.6, 0.4], [1, 0, 0, 0], [0, 0, 1, 0])] * 2
    model = dataclasses.replace(learn(["ba", "ab"], order=2), share=share)
    references = ["ba", "aa"]
    _, tried = try_all(heard, references, LABELS, {"it": model})
    texts = [best_text(rows, LABELS, tried.language_model) for rows in heard]
    # Each reference has two characters and one word; the same sound is recognised alike.
    cer = sum(a != b for text, own in zip(texts, references, strict=True) for a, b in zip(text, own, strict=True)) / 4
    assert (tried.cer, tried.wer) == (cer, sum(map(str.__ne__, texts, references)) / 2)
    assert tried.language_model == dataclasses.replace(
        model, weight=tried.language_model.weight, bonus=tried.language_model.bonus
    )
