import json
import shutil

import numpy as np

from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.language_model import learn
from u2u_hf.training.language_model_tuning import tune

LABELS = Labels(("", "|", "a", "b"), blank=0)


def log_probs(*rows):
    rows = np.log(np.array(rows, dtype=np.float32) + 1e-6)
    return rows - np.logaddexp.reduce(rows, axis=1, keepdims=True)


def test_a_language_model_that_knows_the_language_is_weighed_so_that_it_helps():
    # The sound leans to "aa" where "ba" is said.
    heard = [log_probs([0, 0, 0.6, 0.4], [1, 0, 0, 0], [0, 0, 1, 0])] * 3
    tuned, with_it, without = tune(heard, ["ba"] * 3, LABELS, learn(["ba", "ba ba"]))
    assert (with_it, without) == (0, 0.5)
    assert tuned.weight > 0


def test_one_of_another_language_does_not():
    heard = [log_probs([0, 0, 0.6, 0.4], [1, 0, 0, 0], [0, 0, 1, 0])] * 3
    _, with_it, without = tune(heard, ["aa"] * 3, LABELS, learn(["bbbb"]))
    assert with_it >= without == 0


def test_the_recipe_keeps_what_helps_and_transcription_uses_it(
    recipe, trained_model, demo_dataset, demo_folder, tmp_path
):
    model = tmp_path / "model"
    shutil.copytree(trained_model, model)
    result = recipe("language_model.py", "--model", model, "--dataset", demo_dataset)
    assert result.returncode == 0, result.stderr
    weights = model / "language_model" / "weights.json"
    kept = "language model:" in result.stdout
    assert weights.exists() == kept
    assert kept or "is not kept" in result.stdout
    assert kept, "the demo's head was learnt in seconds: its language model helps"
    assert set(json.loads(weights.read_text(encoding="utf-8"))) == {"weight", "bonus"}
    rates, texts = [], []
    for source in (trained_model, model):
        scores = tmp_path / f"{source.name}_scores"
        command = ["--model", source, "--dataset", demo_dataset, "--split", "validation", "--output_dir", scores]
        assert recipe("evaluate.py", *command).returncode == 0
        rates.append(json.loads((scores / "metrics.json").read_text(encoding="utf-8"))["cer"])
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
