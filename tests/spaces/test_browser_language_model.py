"""The browser page's language model, beam search and alignment (JavaScript) against Python's, in Node.js."""

import dataclasses
import json
import random
import shutil
import subprocess

import numpy as np
import pytest
from conftest import PROJECT

from u2u_hf.demo.corpus import sentence
from u2u_hf.recognition.alignment import align
from u2u_hf.recognition.beam_search import beam_search
from u2u_hf.recognition.decoding import DELIMITER, Labels
from u2u_hf.recognition.language_model import learn, load, save

BROWSER = PROJECT / "spaces" / "browser"
SCRIPT = """
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
const [browser, folder, tasks] = process.argv.slice(1);
const { LanguageModel } = await import(`${browser}/language-model.js`);
const { beamSearch } = await import(`${browser}/beam-search.js`);
const { align } = await import(`${browser}/alignment.js`);
const read = (name) => gunzipSync(readFileSync(`${folder}/${name}`)).toString();
const weights = JSON.parse(readFileSync(`${folder}/weights.json`));
const words = weights.share ? read("words.arpa.gz") : null;
const model = new LanguageModel(weights, read("characters.arpa.gz"), words);
const { labels, utterances } = JSON.parse(readFileSync(tasks));
const found = utterances.map((rows) => {
  const logProbs = Float32Array.from(rows.flat());
  const text = beamSearch(logProbs, labels, model);
  return [text, align(logProbs, text, labels, 1000)];
});
console.log(JSON.stringify(found));
"""


def heard(text, labels, rng):
    """Log-probabilities of an utterance of a text, a third of whose characters are hardly heard: float32 [T, V]."""
    scores = []
    for character in text.replace(" ", DELIMITER):
        row = rng.normal(0, 1, len(labels.symbols))
        row[labels.symbols.index(character)] += 1 if rng.random() < 0.35 else 6
        blank = rng.normal(0, 1, len(labels.symbols))
        blank[labels.blank] += 14
        scores += [row, blank]
    scores = np.array(scores, np.float32)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


@pytest.mark.parametrize("share", [0, 0.6, 1])
def test_texts_and_times_are_as_in_python(tmp_path, share):
    if not shutil.which("node"):
        pytest.skip("Node.js is not installed")
    rng, choose = np.random.default_rng(3), random.Random(3)
    sentences = [sentence(choose)[0] for _ in range(340)]
    # Letters outside of ASCII, and one of two UTF-16 units, which Python counts as one.
    sentences = [text.replace("x", "ñ").replace("tz", "𐐨") for text in sentences]
    model = dataclasses.replace(learn(sentences[:300]), share=share, weight=1.0, bonus=0.5)
    save(model, tmp_path)
    labels = Labels(("", DELIMITER, *sorted({*"".join(sentences)} - {" "}), ""))
    utterances = [heard(text, labels, rng) for text in sentences[300:]]
    (tmp_path / "tasks.json").write_text(
        json.dumps(
            {
                "labels": {"symbols": labels.symbols, "blank": labels.blank},
                "utterances": [rows.astype(float).tolist() for rows in utterances],
            }
        )
    )
    folder = tmp_path / "language_model"
    command = ["node", "--input-type=module", "--eval", SCRIPT, "--", BROWSER, folder, tmp_path / "tasks.json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    loaded = load(str(tmp_path))
    right = 0
    for (text, words), rows, said in zip(json.loads(run.stdout), utterances, sentences[300:], strict=True):
        assert text == beam_search(rows, labels, loaded)
        expected, _ = align(rows, text, labels, 1000)
        assert [(w["text"], w["start_ms"], w["end_ms"]) for w in words] == [
            (w.text, w.start_ms, w.end_ms) for w in expected
        ]
        assert [w["confidence"] for w in words] == pytest.approx([w.confidence for w in expected], rel=1e-4)
        right += text == said
    assert right > 10  # the sound alone would give none
