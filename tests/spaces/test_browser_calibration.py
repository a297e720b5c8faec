"""The browser page's calibrated confidence (JavaScript) against Python's, in Node.js."""

import dataclasses
import json
import random
import shutil
import subprocess

import numpy as np
import pytest
from conftest import PROJECT

from u2u_hf.demo.corpus import sentence
from u2u_hf.model_folder import CALIBRATION
from u2u_hf.recognition.beam_search import best_runs
from u2u_hf.recognition.calibration import Calibration, Calibrations, Isotonic, Linear, Logistic, calibrated, load, save
from u2u_hf.recognition.confidence_features import SEGMENT_FEATURES, WORD_FEATURES, segment_features, word_features
from u2u_hf.recognition.decoding import DELIMITER, Labels
from u2u_hf.recognition.language_model import learn
from u2u_hf.recognition.language_model import load as load_language_model
from u2u_hf.recognition.language_model import save as save_language_model

BROWSER = PROJECT / "spaces" / "browser"
SCRIPT = """
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
const [browser, folder, name, tasks] = process.argv.slice(1);
const load = (name) => import(`${browser}/${name}.js`);
const names = ["alignment", "beam-search", "calibration", "decoding", "language-model"];
const [alignment, search, calibration, decoding, language] = await Promise.all(names.map(load));
const read = (name) => gunzipSync(readFileSync(`${folder}/language_model/${name}`)).toString();
const weights = JSON.parse(readFileSync(`${folder}/language_model/weights.json`));
const model = new language.LanguageModel(weights, read("characters.arpa.gz"), read("words.arpa.gz"));
const { alone, together } = calibration.calibrationsOf(JSON.parse(readFileSync(`${folder}/${name}`)));
const { labels, utterances } = JSON.parse(readFileSync(tasks));
const found = utterances.map((rows) => {
  const logProbs = Float32Array.from(rows.flat());
  return [[alone, null], [together, model]].map(([own, languageModel]) => {
    const words = languageModel
      ? alignment.alignedRuns(logProbs, search.beamSearch(logProbs, labels, languageModel), labels)
      : decoding.greedyRuns(logProbs, labels);
    const result = calibration.calibrated(own, logProbs, words, labels, languageModel);
    const features = calibration.wordFeatures(logProbs, words, labels, languageModel);
    return { ...result, features, sums: calibration.segmentFeatures(logProbs, words, labels, result.chances) };
  });
});
console.log(JSON.stringify(found));
"""


def heard(text, labels, rng):
    """Log-probabilities of an utterance of a text, a blank after each character, much of it unsure: float32 [T, V]."""
    scores = rng.normal(0, 1.5, (2 * len(text), len(labels.symbols))).astype(np.float32)
    for number, character in enumerate(text.replace(" ", DELIMITER)):
        scores[2 * number, labels.symbols.index(character)] += rng.uniform(1, 8)
        scores[2 * number + 1, labels.blank] += rng.uniform(2, 9)
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def test_both_give_the_same_confidence(tmp_path):
    if not shutil.which("node"):
        pytest.skip("Node.js is not installed")
    rng, choose = np.random.default_rng(3), random.Random(3)
    sentences = [sentence(choose)[0].replace("tz", "𐐨") for _ in range(330)]
    save_language_model(dataclasses.replace(learn(sentences[:300]), share=0.6, weight=1.0, bonus=0.5), tmp_path)
    labels = Labels(("", DELIMITER, *sorted({*"".join(sentences)} - {" "}), ""))
    utterances = [heard(text, labels, rng) for text in sentences[300:]]
    utterances.append(np.log(np.full((3, len(labels.symbols)), 1 / len(labels.symbols), dtype=np.float32)))
    numbers = np.random.default_rng(0).normal(0, 0.3, len(WORD_FEATURES)).tolist()
    linear = Linear(tuple(abs(number) for number in numbers[: len(SEGMENT_FEATURES)]))
    curve = Isotonic((0.1, 0.4, 0.9), (0.2, 0.3, 0.8))
    own = Calibrations(
        Calibration(curve, linear), Calibration(Logistic(0.5, tuple(numbers)), Isotonic((0.0, 0.5), (0.1, 0.4)))
    )
    save(own, tmp_path)
    values = {"symbols": labels.symbols, "blank": labels.blank}
    tasks = {"labels": values, "utterances": [rows.astype(float).tolist() for rows in utterances]}
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    command = ["node", "--input-type=module", "--eval", SCRIPT, "--", BROWSER, tmp_path, CALIBRATION]
    run = subprocess.run(
        [*command, tmp_path / "tasks.json"], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert run.returncode == 0, run.stderr
    language_model, known = load_language_model(str(tmp_path)), load(str(tmp_path))
    assert known == own
    chances = []
    for both, rows in zip(json.loads(run.stdout), utterances, strict=True):
        for found, model in zip(both, (None, language_model), strict=True):
            words = best_runs(rows, labels, model)
            expected = calibrated(known.of(model), rows, words, labels, model)
            features = word_features(rows, words, labels, model)
            sums = segment_features(rows, words, labels, np.array(expected.chances))
            assert np.array(found["features"]).reshape(features.shape) == pytest.approx(features, abs=1e-4)
            assert found["sums"] == pytest.approx(sums.tolist(), rel=1e-4, abs=1e-4)
            assert found["chances"] == pytest.approx(expected.chances, abs=1e-4)
            assert found["expectedErrors"] == pytest.approx(expected.expected_errors, rel=1e-3, abs=1e-4)
            assert found["confidence"] == pytest.approx(expected.confidence, abs=1e-4)
            chances += expected.chances
    assert max(chances) - min(chances) > 0.3
