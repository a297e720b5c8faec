import os

import pytest

from u2u_hf.evaluation.closing import after_evaluation, after_language_model, after_training, beside_model

SCORES = {"wer": 0.5, "cer": 0.15}


def commands(text):
    return [line.strip() for line in text.splitlines() if line.startswith("  ")]


def test_the_commands_after_each_recipe_are_understood(understood):
    texts = [
        after_training(SCORES, "my model", "ana/words"),
        after_evaluation(SCORES, "test, 12 utterances", "my model"),
        after_language_model(0.15, True, "my model", "ana/words"),
    ]
    for text in texts:
        assert "CER 15.0%" in text
        assert "correcting is faster than typing" in text
    assert [len(commands(text)) for text in texts] == [3, 1, 2]
    assert 'recipes/transcribe.py --model "my model"' in texts[1]
    for command in {command for text in texts for command in commands(text)}:
        understood(command)


def test_the_model_of_a_folder_is_named_without_its_slash():
    text = after_training(SCORES, os.path.join("models", "first", ""), "words")
    assert f"--output_dir {os.path.join('models', 'first_scores')}" in text


def test_a_language_model_that_is_not_kept_is_said():
    assert "validation without the language model: CER 15.0%" in after_language_model(0.15, False, "m", "d")


def test_a_language_model_beside_its_model_has_no_effect_yet(tmp_path):
    assert beside_model("ana/m", True, "ana/m") == ""
    assert beside_model("ana/m", True, "").endswith("only once that is in it: push it: --push_to ana/m")
    assert beside_model("ana/m", True, "ana/other").endswith("push it: --push_to ana/m")
    assert beside_model(str(tmp_path), True, "").endswith(
        "copy it there as language_model, with calibration.json, which is beside it"
    )
    assert beside_model("ana/m", False, "ana/m").startswith("ana/m stays as it is, also with the language model")


@pytest.mark.parametrize("cer", [0.4, 0.76, 1.5])
def test_nobody_is_sent_to_transcribe_with_a_useless_model(cer):
    scores = {"wer": 1.0, "cer": cer}
    text = after_training(scores, "m", "d")
    assert "not useful yet: transcribe more, or check the data" in text
    (command,) = commands(text)
    assert "evaluate.py" in command
    assert not commands(after_evaluation(scores, "test", "m"))
