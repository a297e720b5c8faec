import json
import shutil

import numpy as np
import pytest
from transformers import pipeline

from u2u_hf.frames import frame_count
from u2u_hf.recognition.decoding import collapse
from u2u_hf.recognition.model import load_trained, start_from
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError


def test_a_fresh_head_fits_the_texts_and_the_convolutions_are_frozen(random_base):
    model, processor = start_from(str(random_base), ["abc"])
    assert model.config.vocab_size == model.lm_head.out_features == len(processor.tokenizer) == 6
    assert not any(p.requires_grad for p in model.hubert.feature_extractor.parameters())
    assert all(p.requires_grad for p in model.hubert.encoder.parameters())


def test_the_pipeline_of_transformers_writes_what_we_write(random_model):
    samples = (np.random.default_rng(0).standard_normal(48_000) * 0.1).astype(np.float32)
    recognizer = Recognizer(random_model)
    log_probs = recognizer.log_probs(samples)
    assert log_probs.shape == (frame_count(48_000), 7)
    assert np.exp(log_probs).sum(1) == pytest.approx(1, abs=1e-4)
    ours = collapse(log_probs.argmax(1), recognizer.labels)
    theirs = pipeline("automatic-speech-recognition", str(random_model))(samples)["text"]
    assert ours
    assert ours == " ".join(theirs.split())


def test_what_is_too_short_for_one_frame_is_silent(random_model):
    assert Recognizer(random_model).log_probs(np.zeros(399, dtype=np.float32)).shape == (0, 7)


def test_a_base_model_that_is_not_whole_is_named(random_base, tmp_path):
    shutil.copytree(random_base, tmp_path / "deaf")
    (tmp_path / "deaf" / "preprocessor_config.json").unlink()
    with pytest.raises(U2UError, match=r"deaf: cannot be loaded: "):
        start_from(str(tmp_path / "deaf"), ["abc"])
    shutil.copytree(random_base, tmp_path / "torso")
    config = json.loads((tmp_path / "torso" / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "torso" / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}), encoding="utf-8")
    with pytest.raises(
        U2UError, match=r"torso: is not a HuBERT model .it has no hubert.encoder.layers.2\..*, and 15 more"
    ):
        start_from(str(tmp_path / "torso"), ["abc"])


def test_mistakes_are_named(random_base, random_model, tmp_path):
    with pytest.raises(U2UError, match="nowhere: there is no such model folder"):
        load_trained(str(tmp_path / "nowhere"))
    with pytest.raises(U2UError, match="has no vocabulary"):
        load_trained(str(random_base))  # a base model has no vocabulary
    shutil.copytree(random_model, tmp_path / "other")
    vocabulary = json.loads((tmp_path / "other" / "vocab.json").read_text(encoding="utf-8"))
    (tmp_path / "other" / "vocab.json").write_text(json.dumps(vocabulary | {"z": 7}), encoding="utf-8")
    with pytest.raises(U2UError, match="has 7 outputs but a vocabulary of 8"):
        load_trained(str(tmp_path / "other"))
