import json
import re
import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file, save_file

from u2u_hf.frames import RECEPTIVE_FIELD, STRIDE
from u2u_hf.recognition.decoding import collapse
from u2u_hf.recognition.model import load_processor, save_processor, start_from
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError

FILES = [
    "config.json",
    "model.safetensors",
    "processor_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "onnx/model_quantized.onnx",
]
DAMAGE = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "noise": lambda content: np.random.default_rng(0).bytes(1000),
    "object": lambda content: b"{}",
    "list": lambda content: b"[]",
    "null": lambda content: b"null",
    "page": lambda content: b"<!doctype html><title>Log in</title>",
    "numbers": lambda content: json.dumps({key: 5 for key in _keys(content)}).encode(),
    "lists": lambda content: json.dumps({key: [{}] for key in _keys(content)}).encode(),
}


def _keys(content):
    try:
        return list(json.loads(content))
    except ValueError:
        return ["a"]


def write_onnx(path, name="input_values", labels=7, weight=0.01, axes=(0, 2, 1), kind=TensorProto.FLOAT):
    """A recogniser of one layer: each label's logit is a weighted sum of the samples of a frame."""
    weights = np.full((labels, 1, RECEPTIVE_FIELD), weight, dtype=np.float32)
    nodes = [
        helper.make_node("Unsqueeze", [name, "one"], ["channel"]),
        helper.make_node("Conv", ["channel", "weights"], ["rows"], strides=[STRIDE]),
        helper.make_node("Transpose", ["rows"], ["turned"], perm=axes),
        helper.make_node("Cast", ["turned"], ["logits"], to=kind),
    ]
    graph = helper.make_graph(
        nodes,
        "recogniser",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "samples"])],
        [helper.make_tensor_value_info("logits", kind, None)],
        [numpy_helper.from_array(np.array([1]), "one"), numpy_helper.from_array(weights, "weights")],
    )
    path.parent.mkdir(exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.fixture
def ears(random_model, tmp_path):
    folder = tmp_path / "ears"
    shutil.copytree(random_model, folder)
    save_processor(load_processor(str(folder)), folder)
    return folder


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_model_hears_or_is_named(ears, name, damage):
    if name.startswith("onnx"):
        write_onnx(ears / name)
    (ears / name).write_bytes(DAMAGE[damage]((ears / name).read_bytes()))
    _assert_heard_or_named(ears)


@pytest.mark.parametrize("name", FILES)
def test_a_model_without_a_file_hears_or_is_named(ears, name):
    (ears / name).unlink(missing_ok=True)
    _assert_heard_or_named(ears)


def _assert_heard_or_named(folder):
    outcome = _outcome(folder)
    assert outcome == "hears" or outcome.startswith(f"{folder}")
    if outcome != "hears":
        assert len(outcome.replace(str(folder), "")) < 250
        assert re.search("copy|download|give|take|export it again", outcome), outcome


def _outcome(folder):
    """Return the error's message, or that it hears."""
    try:
        recognizer = Recognizer(folder)
    except U2UError as error:
        return str(error)
    log_probs = recognizer.log_probs(np.zeros(16_000, dtype=np.float32))
    assert isinstance(collapse(np.arange(len(recognizer.labels.symbols)), recognizer.labels), str)
    return "hears" if np.isfinite(log_probs).all() else "hears nothing"


def test_an_export_is_heard_with(ears):
    write_onnx(ears / "onnx" / "model_quantized.onnx")
    recognizer = Recognizer(ears)
    assert recognizer.engine == "onnxruntime, model_quantized.onnx"
    assert recognizer.log_probs(np.ones(16_000, dtype=np.float32)).shape == (49, 7)


def test_an_export_beside_a_token_that_the_vocabulary_lacks_is_used(ears):
    path = ears / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token": "</s>"}))
    write_onnx(ears / "onnx" / "model_quantized.onnx", labels=8)
    recognizer = Recognizer(ears)
    assert recognizer.engine == "onnxruntime, model_quantized.onnx"
    assert recognizer.labels.symbols == ("", "", "|", "a", "b", "¹", "ñ", "")


def test_an_export_runs_once_at_the_start(ears, monkeypatch):
    write_onnx(ears / "onnx" / "model_quantized.onnx")
    runs = []
    run = onnxruntime.InferenceSession.run
    monkeypatch.setattr(onnxruntime.InferenceSession, "run", lambda *given: (runs.append(1), run(*given))[1])
    Recognizer(ears)
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "pixel_values"}, "it is damaged, or no recogniser"),
        ({"labels": 8}, "has 8 outputs but the model's vocabulary is 7"),
        ({"axes": (2, 0, 1)}, "its output has another shape"),
        ({"kind": TensorProto.INT64}, "its output has another shape"),
        ({"weight": np.nan}, r"its weights are damaged \(it gives NaN or infinity\)"),
    ],
)
def test_an_export_of_something_else_is_named(ears, change, message):
    path = ears / "onnx" / "model_quantized.onnx"
    write_onnx(path, **change)
    with pytest.raises(U2UError, match=rf"{re.escape(str(path))}: .*{message}.*: export it again"):
        Recognizer(ears)


def test_weights_that_are_not_there_are_not_made_up(ears):
    weights = load_file(ears / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, ears / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(U2UError, match=r"its weights lack lm_head\.weight"):
        Recognizer(ears)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_named(ears, number):
    weights = load_file(ears / "model.safetensors")
    weights["hubert.encoder.layer_norm.bias"][3] = number
    save_file(weights, ears / "model.safetensors", metadata={"format": "pt"})
    said = r"its weights are damaged \(hubert\.encoder\.layer_norm\.bias is not finite, and 0 more\): copy or"
    with pytest.raises(U2UError, match=said):
        Recognizer(ears)
    with pytest.raises(U2UError, match=said):  # nor does training begin with them
        start_from(str(ears), ["abc"])


def test_a_damaged_vocabulary_is_not_a_missing_one(ears):
    (ears / "vocab.json").write_text("null")
    with pytest.raises(U2UError, match="copy or download"):
        Recognizer(ears)
    (ears / "vocab.json").unlink()
    with pytest.raises(U2UError, match=r"has no vocabulary \(vocab\.json\)"):
        Recognizer(ears)


def test_weights_of_another_shape_are_named(ears):
    weights = load_file(ears / "model.safetensors")
    weights["lm_head.weight"] = weights["lm_head.weight"][:, :8].contiguous()
    save_file(weights, ears / "model.safetensors", metadata={"format": "pt"})
    width = json.loads((ears / "config.json").read_text())["hidden_size"]
    assert f"{ears}: its weights and its config.json do not fit: lm_head.weight is " in _outcome(ears)
    assert _outcome(ears).endswith(f"×8, not {len(weights['lm_head.weight'])}×{width}")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_too_little_memory_is_no_damage(ears, monkeypatch, error):
    def full(*_arguments, **_settings):
        raise error

    monkeypatch.setattr("transformers.HubertForCTC.from_pretrained", full)
    with pytest.raises(U2UError, match="there is not enough memory: close other programs") as said:
        Recognizer(ears)
    assert "damaged" not in str(said.value)


def test_a_training_that_has_not_ended_is_named(ears, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    shutil.copytree(ears, run / "checkpoint-90")
    ears.rename(run / "checkpoint-100")  # the later one, though not by its letters
    with pytest.raises(U2UError, match=r"run: its training has not ended: .*--resume.*checkpoint-100"):
        Recognizer(run)
    shutil.rmtree(run / "checkpoint-90")
    (run / "checkpoint-100").rename(run / "other")
    with pytest.raises(U2UError, match=r"run: holds no model \(config\.json\): give a folder that train\.py wrote"):
        Recognizer(run)
