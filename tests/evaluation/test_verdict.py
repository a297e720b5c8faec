import os

import pytest
from conftest import PROJECT

from u2u_hf.evaluation.verdict import after_evaluation, after_language_model, after_training, verdict

SCORES = {"wer": 0.5, "cer": 0.15}


@pytest.mark.parametrize(
    ("cer", "words"),
    [
        (0, "quick to correct"),
        (0.0999, "quick to correct"),
        (0.1, "faster than typing"),
        (0.2, "about as long as typing"),
        (0.4, "not useful yet"),
        (2.5, "not useful yet"),
    ],
)
def test_the_limits(cer, words):
    assert words in verdict(cer)


def test_the_readme_has_the_same_table():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    rows = [("under 10 %", 0.05), ("10 to 20 %", 0.15), ("20 to 40 %", 0.3), ("above 40 %", 0.5)]
    for limits, cer in rows:
        [row] = [line for line in readme.splitlines() if line.startswith(f"| {limits} |")]
        assert verdict(cer) in row


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
