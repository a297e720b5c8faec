"""Damaged model folders: whatever lies in them, a recogniser starts or one line says why not."""

import dataclasses
import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from u2u_hf.frames import RECEPTIVE_FIELD
from u2u_hf.model_folder import CONFIG, ONNX, SMALL, VOCABULARY, WEIGHTS
from u2u_hf.recognition import language_model
from u2u_hf.recognition.model import start_from
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import Segment
from u2u_hf.transcription.transcribe import recognise_words

SAMPLES = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
WORDS = (
    *(b"auto_map", b'{"AutoConfig": "secret.Config", "AutoModelForCTC": "secret.Model"}', b"_name_or_path"),
    *(b'"model_type"', b'"wav2vec2"', b'"whisper"', b'"hidden_size"', b"4096", b"100000000", b'"architectures"'),
    *(b'"feature_extractor_type"', b'"tokenizer_class"', b'"F16"', b'"I8"', b'"shape"', b'"data_offsets"', b"[0, 1]"),
    *(b'"[PAD]"', b'"|"', b'"\\u0000"', b'"pad_token"', b'"trust_remote_code": true,', b'"quantization_config": {},'),
    *(b"base_model_name_or_path", b"-grams:", b"\\end\\", b"1-grams", b"external_data", b"location", b"Conv", b"Loop"),
)


def tiny_onnx(labels):
    """A convolution of the shape of an export: samples [1, N] to logits [1, T, V]."""
    weight = np.random.default_rng(0).standard_normal((labels, 1, RECEPTIVE_FIELD)).astype(np.float32)
    nodes = [
        helper.make_node("Unsqueeze", ["input_values", "axis"], ["x"]),
        helper.make_node("Conv", ["x", "weight"], ["y"], strides=[320]),
        helper.make_node("Transpose", ["y"], ["logits"], perm=[0, 2, 1]),
    ]
    constants = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(np.array([1]), "axis")]
    inputs = [helper.make_tensor_value_info("input_values", TensorProto.FLOAT, [1, "n"])]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "t", labels])]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture(scope="module")
def model_folder(random_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "model"
    shutil.copytree(random_model, folder)
    learned = language_model.learn(["ab ña", "ña ab"], order=2)
    language_model.save(dataclasses.replace(learned, share=0.5), folder)
    (folder / ONNX).mkdir()
    (folder / ONNX / SMALL).write_bytes(tiny_onnx(len(json.loads((folder / VOCABULARY).read_text()))))
    return folder


def require_words(labels, log_probs, model):
    assert log_probs.dtype == np.float32
    assert log_probs.shape[1] == len(labels.symbols)
    assert not np.isnan(log_probs).any()
    segment = recognise_words(labels, model)(Segment(0, 0, 500), log_probs, 0)
    assert 0 <= segment.confidence <= 1
    segment.text.encode()


def use(folder, name):
    """Load what the file belongs to, as recipes/transcribe.py and recipes/train.py do, and recognise something."""
    source = str(folder)
    if name.endswith((CONFIG, WEIGHTS)):
        (folder / ONNX / SMALL).unlink()  # it would serve in their place
        start_from(source, ["ab ña"])
    recognizer = Recognizer(source)
    require_words(recognizer.labels, recognizer.log_probs(SAMPLES), language_model.load(source))


def test_a_damaged_model_folder_is_loaded_or_named(fuzz, model_folder):
    files = [path for path in sorted(model_folder.rglob("*")) if path.is_file()]
    victims = {str(path.relative_to(model_folder)): path.read_bytes() for path in files}
    fuzz(use, victims, model_folder, WORDS, examples=200)
