"""Processors read without transformers are those that transformers reads."""

import json
import re
import shutil

import numpy as np
import pytest
from support.families import CONFIGS, save_base
from transformers import Wav2Vec2FeatureExtractor

from u2u_hf.data.inputs import input_of_export
from u2u_hf.recognition.model import load_plain_processor, load_processor, save_processor, start_from
from u2u_hf.recognition.plain_processor import NotPlainError, plain_processor


@pytest.mark.parametrize("name", ["hubert", "xls-r", "wav2vec2-bert", "omniasr"])
def test_a_trained_models_processor_is_read_as_transformers_reads_it(tmp_path, name):
    model, processor = start_from(str(save_base(CONFIGS[name](), tmp_path / "base")), ["ab ña¹"])
    model.save_pretrained(tmp_path / "ears")
    for save in (processor.save_pretrained, lambda folder: save_processor(processor, folder)):  # without an export, and
        save(tmp_path / "ears")
        found = plain_processor(str(tmp_path / "ears"))
        assert found == load_plain_processor(str(tmp_path / "ears"))
        assert found.labels.symbols == ("", "", "|", "a", "b", "¹", "ñ")
        assert found.labels.delay_ms == (5 if name == "wav2vec2-bert" else 0)


@pytest.fixture
def ears(random_model, tmp_path):
    folder = tmp_path / "ears"
    shutil.copytree(random_model, folder)
    return folder


def changed(path, **settings):
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | settings), encoding="utf-8")


def test_settings_within_the_processors_file_come_first(ears):
    save_processor(load_processor(str(ears)), ears)
    changed(ears / "preprocessor_config.json", do_normalize=False)
    assert plain_processor(str(ears)).normalise
    assert load_plain_processor(str(ears)).normalise
    changed(ears / "processor_config.json", feature_extractor=None)
    assert not plain_processor(str(ears)).normalise
    assert not load_plain_processor(str(ears)).normalise


def with_extractor_of_its_own(folder):
    (folder / "processor_config.json").unlink()
    Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("tokenizer_config.json", {"pad_token": "a"}),
        ("tokenizer_config.json", {"unk_token": None}),
        ("tokenizer_config.json", {"bos_token": "ñ"}),
        ("vocab.json", {"<x>": 7}),
        ("preprocessor_config.json", {"do_normalize": False}),
    ],
)
def test_changed_settings_are_read_as_transformers_reads_them(ears, name, settings):
    changed(with_extractor_of_its_own(ears) / name, **settings)
    assert plain_processor(str(ears)) == load_plain_processor(str(ears))


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("tokenizer_config.json", {"eos_token": "</s>"}),  # would be one more label
        ("tokenizer_config.json", {"additional_special_tokens": ["<x>"]}),
        ("tokenizer_config.json", {"added_tokens_decoder": {"7": {"content": "<x>", "special": True}}}),
        ("tokenizer_config.json", {"added_tokens_decoder": None}),  # then older files have the tokens
        ("tokenizer_config.json", {"tokenizer_class": "BertTokenizer"}),
        ("tokenizer_config.json", {"target_lang": "eng"}),
        ("tokenizer_config.json", {"pad_token": None}),
        ("vocab.json", {"z": 9}),
        ("vocab.json", {"z": 1}),
        ("vocab.json", {"z": "7"}),
        ("vocab.json", {"\ud800": 7}),
        ("preprocessor_config.json", {"sampling_rate": 8000}),
        ("preprocessor_config.json", {"feature_extractor_type": "WhisperFeatureExtractor"}),
        ("preprocessor_config.json", {"feature_extractor_type": None}),
        ("preprocessor_config.json", {"do_normalize": "yes"}),
        ("preprocessor_config.json", {"auto_map": {"AutoFeatureExtractor": "secret.Extractor"}}),
    ],
)
def test_what_train_py_does_not_write_is_left_to_transformers(ears, name, settings):
    changed(with_extractor_of_its_own(ears) / name, **settings)
    with pytest.raises(NotPlainError, match=re.escape(f"its {name} ")):
        plain_processor(str(ears))


def test_a_vocabulary_without_a_number_is_not_read_here(ears):
    (ears / "vocab.json").write_text('{"[PAD]": 0, "[UNK]": 1, "|": 3}', encoding="utf-8")
    with pytest.raises(NotPlainError, match=r"its vocab\.json does not number its labels from 0"):
        plain_processor(str(ears))
    (ears / "vocab.json").unlink()
    with pytest.raises(NotPlainError, match=r"it has no vocab\.json"):
        plain_processor(str(ears))


def test_samples_are_normalised_as_the_extractor_does():
    samples = np.random.default_rng(0).uniform(-0.3, 0.5, 16_001).astype(np.float32)
    theirs = Wav2Vec2FeatureExtractor(do_normalize=True)(samples, sampling_rate=16_000).input_values[0]
    ours = input_of_export(samples, normalise=True)
    assert ours.dtype == np.float32
    assert np.array_equal(ours, theirs)
    assert input_of_export(samples, normalise=False) is samples
