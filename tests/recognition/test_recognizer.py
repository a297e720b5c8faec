import json
import shutil

import numpy as np
import pytest

from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError

FILES = [
    "config.json",
    "model.safetensors",
    "processor_config.json",
    "tokenizer_config.json",
    "vocab.json",
]
DAMAGE = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "noise": lambda content: np.random.default_rng(0).bytes(1000),
    "object": lambda content: b"{}",
    "list": lambda content: b"[]",
    "null": lambda content: b"null",
    "numbers": lambda content: json.dumps({key: 5 for key in _keys(content)}).encode(),
    "lists": lambda content: json.dumps({key: [{}] for key in _keys(content)}).encode(),
}


def _keys(content):
    try:
        return list(json.loads(content))
    except ValueError:
        return ["a"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_model_hears_or_is_named(random_model, tmp_path, name, damage):
    folder = tmp_path / "ears"
    shutil.copytree(random_model, folder)
    (folder / name).write_bytes(DAMAGE[damage]((folder / name).read_bytes()))
    outcome = _outcome(folder)
    assert outcome == "hears" or outcome.startswith(f"{folder}: ")


def _outcome(folder):
    """Return the error's message, or that it hears."""
    try:
        recognizer = Recognizer(folder)
    except U2UError as error:
        return str(error)
    return "hears" if np.isfinite(recognizer.log_probs(np.zeros(16_000, dtype=np.float32))).all() else "hears nothing"


def test_weights_that_are_not_there_are_not_made_up(random_model, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "ears"
    shutil.copytree(random_model, folder)
    weights = load_file(folder / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(U2UError, match=r"its weights lack lm_head\.weight"):
        Recognizer(folder)
