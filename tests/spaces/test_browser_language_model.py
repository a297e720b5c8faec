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
from u2u_hf.recognition.decoding import DELIMITER, Labels, log_softmax
from u2u_hf.recognition.language_model import learn, load, save

BROWSER = PROJECT / "spaces" / "browser"
SCRIPT = """
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
const [browser, folder, tasks] = process.argv.slice(1);
const { LanguageModel } = await import(`${browser}/language-model.js`);
const { beamSearch } = await import(`${browser}/beam-search.js`);
const { alignedRuns } = await import(`${browser}/alignment.js`);
const { wordOf } = await import(`${browser}/decoding.js`);
const read = (name) => gunzipSync(readFileSync(`${folder}/${name}`)).toString();
const weights = JSON.parse(readFileSync(`${folder}/weights.json`));
const words = weights.share ? read("words.arpa.gz") : null;
const model = new LanguageModel(weights, read("characters.arpa.gz"), words);
const { labels, utterances } = JSON.parse(readFileSync(tasks));
const found = utterances.map((rows) => {
  const logProbs = Float32Array.from(rows.flat());
  const text = beamSearch(logProbs, labels, model);
  return [text, alignedRuns(logProbs, text, labels).map((own) => wordOf(own, labels, 1000))];
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
    return log_softmax(np.array(scores, np.float32))


def mumbled(text, labels, rng):
    """The same of a recogniser that is unsure, or sure of what is wrong; with letters held, and few blanks between."""
    scale, scores = rng.choice([1, 2, 4, 8]), []
    for character in text.replace(" ", DELIMITER):
        for _ in range(rng.integers(1, 3)):
            scores.append(rng.normal(0, scale, len(labels.symbols)))
            scores[-1][labels.symbols.index(character)] += scale * rng.choice([0, 1, 2, 3])
        if rng.random() < 0.6:
            scores.append(rng.normal(0, scale, len(labels.symbols)))
            scores[-1][labels.blank] += scale * rng.choice([0, 2, 4])
    return log_softmax(np.array(scores, np.float32))


def in_javascript(labels, utterances, folder):
    """Text and words of each utterance, with the language model that is saved in the folder."""
    if not shutil.which("node"):
        pytest.skip("Node.js is not installed")
    (folder / "tasks.json").write_text(
        json.dumps(
            {
                "labels": {"symbols": labels.symbols, "blank": labels.blank},
                "utterances": [rows.astype(float).tolist() for rows in utterances],
            }
        )
    )
    model = folder / "language_model"
    command = ["node", "--input-type=module", "--eval", SCRIPT, "--", BROWSER, model, folder / "tasks.json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def labels_of(sentences):
    return Labels(("", DELIMITER, *sorted({*"".join(sentences)} - {" "}), ""))


@pytest.mark.parametrize("share", [0, 0.6, 1])
def test_texts_and_times_are_as_in_python(tmp_path, share):
    rng, choose = np.random.default_rng(3), random.Random(3)
    sentences = [sentence(choose)[0] for _ in range(340)]
    # Letters outside of ASCII, and one of two UTF-16 units, which Python counts as one.
    sentences = [text.replace("x", "ñ").replace("tz", "𐐨") for text in sentences]
    model = dataclasses.replace(learn(sentences[:300]), share=share, weight=1.0, bonus=0.5)
    save(model, tmp_path)
    labels = labels_of(sentences)
    utterances = [heard(text, labels, rng) for text in sentences[300:]]
    loaded = load(str(tmp_path))
    right = 0
    found = in_javascript(labels, utterances, tmp_path)
    for (text, words), rows, said in zip(found, utterances, sentences[300:], strict=True):
        assert text == beam_search(rows, labels, loaded)
        expected, _ = align(rows, text, labels, 1000)
        assert [(w["text"], w["start_ms"], w["end_ms"]) for w in words] == [
            (w.text, w.start_ms, w.end_ms) for w in expected
        ]
        assert [w["confidence"] for w in words] == pytest.approx([w.confidence for w in expected], rel=1e-4)
        right += text == said
    assert right > 10  # the sound alone would give none


@pytest.mark.parametrize(
    ("texts", "share", "weight", "bonus"),
    [(40, 0.3, 0.3, 0.0), (40, 0.8, 1.0, 2.0), (4, 0.5, 2.5, 1.0), (4, 1.0, 2.5, 0.0), (4, 0.0, 2.5, 2.0)],
)
def test_texts_are_as_in_python_where_sound_and_language_disagree(tmp_path, texts, share, weight, bonus):
    """Most words are in no text, and the search keeps prefixes of many words that are nearly as good as the best."""
    rng, choose = np.random.default_rng(4), random.Random(4)
    sentences = [sentence(choose)[0] for _ in range(texts + 30)]
    save(dataclasses.replace(learn(sentences[:texts]), share=share, weight=weight, bonus=bonus), tmp_path)
    labels = labels_of(sentences)
    utterances = [mumbled(text, labels, rng) for text in sentences[texts:]]
    found = [text for text, _ in in_javascript(labels, utterances, tmp_path)]
    loaded = load(str(tmp_path))
    assert found == [beam_search(rows, labels, loaded) for rows in utterances]
    assert found != [beam_search(rows, labels) for rows in utterances]
