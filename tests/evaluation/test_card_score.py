import runpy
import shutil
import sys

import pytest
from conftest import RECIPES
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from u2u_hf.evaluation.card_score import card_score


def write_card(folder, *scores):
    """A card with results, each of a split and a dataset: metric, split, value."""
    results = [EvalResult("asr", "d", "words", metric, value, dataset_split=split) for metric, split, value in scores]
    data = ModelCardData(model_name="ears", eval_results=results)
    (folder / "README.md").write_text(f"---\n{data.to_yaml()}\n---\n# Ears\n", encoding="utf-8")


def test_the_test_split_says_most(tmp_path):
    assert card_score(str(tmp_path)) is None
    write_card(tmp_path, ("wer", "test", 0.9))
    assert card_score(str(tmp_path)) is None
    write_card(tmp_path, ("cer", "validation", 0.1), ("wer", "test", 0.9))
    assert card_score(str(tmp_path)) == (0.1, "validation")
    write_card(tmp_path, ("cer", "validation", 0.1), ("cer", "test", 0.2), ("cer", None, 0.3))
    assert card_score(str(tmp_path)) == (0.2, "test")
    write_card(tmp_path, ("cer", None, 0.3))
    assert card_score(str(tmp_path)) == (0.3, "words")
    assert ModelCard.load(tmp_path / "README.md").data.eval_results


@pytest.mark.parametrize(("cer", "useful"), [(0.39, True), (0.76, False)])
def test_who_transcribes_with_a_useless_model_is_told(random_model, monkeypatch, capsys, tmp_path, cer, useful):
    model = shutil.copytree(random_model, tmp_path / "ears")
    write_card(model, ("cer", "test", cer))
    recording = tmp_path / "a.wav"
    recording.touch()  # no sound: nothing has to be recognised
    arguments = ["--model", model, "--output_dir", tmp_path / "out", recording]
    monkeypatch.setattr(sys, "argv", ["transcribe.py", *map(str, arguments)])
    with pytest.raises(SystemExit):
        runpy.run_path(str(RECIPES / "transcribe.py"), run_name="__main__")
    told = f"! {model}: This model is not useful yet: with a CER of 76.0% (test), correcting its drafts takes longer"
    assert (told in capsys.readouterr().out) is not useful
