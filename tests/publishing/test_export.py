import dataclasses
import json
import math
import shutil

import numpy as np
import onnx
import pytest
import torch
from datasets import concatenate_datasets
from huggingface_hub import ModelCard
from support import programs
from tokenizers import Tokenizer
from transformers import HubertConfig, HubertForCTC, Wav2Vec2FeatureExtractor, Wav2Vec2Processor, pipeline

from u2u_hf.data.audio import decode_mono
from u2u_hf.data.dataset import load_splits
from u2u_hf.evaluation.metrics import error_rates
from u2u_hf.frames import frame_count
from u2u_hf.model_folder import MODEL, belongs
from u2u_hf.publishing.cards.model import write_model_card
from u2u_hf.publishing.export import export, next_steps, own_folder, report_table
from u2u_hf.recognition import language_model, torch_model
from u2u_hf.recognition.decoding import collapse
from u2u_hf.recognition.model import load_processor, load_trained, save_processor
from u2u_hf.recognition.onnx_model import onnx_logits
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.recognition.tokenizer import build_tokenizer
from u2u_hf.records import U2UError


@pytest.fixture(scope="module")
def spoken(demo_dataset):
    """All utterances of the small demo corpus: of only a few, a letter would be more than half a point."""
    return concatenate_datasets([*load_splits(demo_dataset).values()])


@pytest.fixture(scope="module")
def exported(trained_model, spoken, tmp_path_factory):
    """The trained tiny model in a folder of its own, exported and measured; and the report."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    shutil.copytree(trained_model, folder)
    return folder, export(str(folder), folder, spoken)


def test_both_engines_write_the_same(exported, trained_model, spoken, tmp_path):
    shutil.copytree(exported[0], tmp_path / "full")
    (tmp_path / "full" / "onnx" / "model_quantized.onnx").unlink()
    engines = [Recognizer(folder) for folder in (trained_model, tmp_path / "full", exported[0])]
    names = ["torch", "onnxruntime, model.onnx", "onnxruntime, model_quantized.onnx"]
    assert [e.engine for e in engines] == names
    sounds = [decode_mono(row["audio"]["bytes"]) for row in spoken]
    trained, full, small = ([collapse(e.log_probs(s).argmax(1), e.labels) for s in sounds] for e in engines)
    assert all(trained)
    assert full == trained
    errors = [error_rates(texts, spoken["text"])["cer"] for texts in (trained, small)]
    assert errors[1] <= errors[0] + 0.005  # what 8 bits may cost; which letters they mistake may differ
    for engine in engines:
        assert engine.labels == engines[0].labels
        assert engine.log_probs(np.zeros(399, np.float32)).shape == (0, len(engine.labels.symbols))


def test_what_other_libraries_log_is_not_printed_from_then_on(random_model, tmp_path):
    code = """
import logging, sys
from pathlib import Path
from u2u_hf.publishing.export_forms import QUANTISED_FORMS, to_onnx
from u2u_hf.recognition.model import load_trained
model, full = load_trained(sys.argv[1])[0], Path(sys.argv[2], "model.onnx")
to_onnx(model, full)
QUANTISED_FORMS["blocks"].write(model, full, full.with_name("small.onnx"))
print(logging.getLogger().handlers, logging.getLogger().level == logging.WARNING)
"""
    done = programs.run(["-c", code, random_model, tmp_path])
    assert done.stdout.splitlines()[-1:] == ["[] True"], done.stderr


def test_a_gpu_changes_nothing(random_model, tmp_path, monkeypatch):
    monkeypatch.setattr(torch_model, "accelerator", lambda: pytest.fail("what is exported was asked for on the GPU"))
    assert export(str(random_model), tmp_path)["variants"]["onnx"]["difference"] < 1e-3


def test_in_32_bits_they_are_the_same_numbers(exported, trained_model, tmp_path):
    shutil.copytree(exported[0], tmp_path / "full")
    (tmp_path / "full" / "onnx" / "model_quantized.onnx").unlink()
    full, trained = Recognizer(tmp_path / "full"), Recognizer(trained_model)
    for length in (400, 16_000, 53_211):
        sound = np.random.default_rng(length).standard_normal(length).astype(np.float32)
        expected = trained.log_probs(sound)
        assert expected.shape == (frame_count(length), len(trained.labels.symbols))
        assert np.allclose(full.log_probs(sound), expected, atol=1e-3)
        for engine in (full, trained):
            engine.release_memory()


def test_the_report_says_what_the_smaller_numbers_cost(exported, spoken):
    folder, report = exported
    assert report == json.loads((folder / "onnx" / "export.json").read_text(encoding="utf-8"))
    variants = report["variants"]
    assert variants["onnx"]["cer"] == variants["torch"]["cer"]
    assert variants["onnx"]["agreement"] == 1
    kept = variants[report["quantized"]]
    assert kept["megabytes"] < variants["onnx"]["megabytes"] / 2
    assert kept["cer"] <= variants["torch"]["cer"] + 0.005
    assert report["measured_on"].startswith(f"{len(spoken)} utterances of validation")


def feed_forwards(model):
    """The two layers of each feed-forward part, the second one's input being the first one's output after GELU."""
    return [
        (layer.feed_forward.intermediate_dense, layer.feed_forward.output_dense)
        for layer in model.hubert.encoder.layers
    ]


def save_changed(trained_model, folder, change):
    model, processor = load_trained(str(trained_model))
    with torch.no_grad():
        for layers in feed_forwards(model):
            change(*layers)
    model.save_pretrained(folder)
    save_processor(processor, folder)


def test_where_int8_costs_too_much_blocks_take_its_place(trained_model, spoken, tmp_path):
    def outlier(before, after):
        """One activation is huge, as in large models (Dettmers et al. 2022): int8 rounds the others to 0."""
        before.bias[0] = 1e4
        after.weight[:, 0] = 0

    save_changed(trained_model, tmp_path, outlier)
    report = export(str(tmp_path), tmp_path, spoken)
    assert report["quantized"] == "blocks"
    cer = {name: row["cer"] for name, row in report["variants"].items()}
    assert cer["int8"] > cer["torch"] + 0.005
    assert cer["blocks"] <= cer["torch"] + 0.005
    assert report["variants"]["blocks"]["difference"] < report["variants"]["int8"]["difference"]
    assert report["variants"]["blocks"]["megabytes"] < report["variants"]["onnx"]["megabytes"]
    recogniser = Recognizer(tmp_path)
    assert recogniser.engine == "onnxruntime, model_quantized.onnx"
    texts = [
        collapse(recogniser.log_probs(decode_mono(row["audio"]["bytes"])).argmax(1), recogniser.labels)
        for row in spoken
    ]
    assert error_rates(texts, spoken["text"])["cer"] == pytest.approx(cer["blocks"])


def test_a_model_that_8_bits_spoil_stays_in_32(trained_model, spoken, tmp_path):
    def outliers(before, after):
        """A huge weight in each block of 32, of an input that is always 0: with 8 bits the block's others are lost."""
        before.bias[::32] = -1e4
        after.weight[:, ::32] = 1e4

    save_changed(trained_model, tmp_path, outliers)
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model_quantized.onnx").touch()  # of an earlier export
    (tmp_path / "onnx" / "export.json").write_text('{"variants": {}}')
    report = export(str(tmp_path), tmp_path, spoken)
    assert report["quantized"] is None
    assert "only model.onnx (float32) was kept" in report_table(report)
    assert "8-bit numbers cost too many errors" in next_steps(report, tmp_path)
    assert {path.name for path in (tmp_path / "onnx").iterdir()} == {"model.onnx", "export.json"}
    assert Recognizer(tmp_path).engine == "onnxruntime, model.onnx"


def test_the_weights_of_a_large_model_are_in_a_second_file(random_model, tmp_path, monkeypatch):
    whole = torch.onnx.export

    def scattered(model, arguments, path, **settings):
        """As torch writes models of more than 2 GB, and only to a path that is text: each weight in a file."""
        assert type(path) is str
        whole(model, arguments, path, **settings)
        onnx.save_model(onnx.load(path), path, save_as_external_data=True, all_tensors_to_one_file=False)

    with monkeypatch.context() as patch:
        patch.setattr(torch.onnx, "export", scattered)
        report = export(str(random_model), tmp_path / "model")
    folder = tmp_path / "model" / "onnx"
    names = {"model.onnx", "model_quantized.onnx", "export.json"}
    assert {path.name for path in folder.iterdir()} == names | {"model.onnx_data"}
    assert all(belongs(f"onnx/{path.name}", MODEL) for path in folder.iterdir())
    sizes = {path.name: path.stat().st_size / 1e6 for path in folder.iterdir()}
    assert sizes["model.onnx_data"] > 0.01
    assert report["variants"]["onnx"]["megabytes"] == round(sizes["model.onnx"] + sizes["model.onnx_data"], 1)
    sound, expected = np.ones(16_000, np.float32), onnx_logits(folder / "model.onnx")
    (tmp_path / "cache").mkdir()
    for name in ("model.onnx", "model.onnx_data"):  # as a model from the Hub lies in its cache
        (folder / name).rename(tmp_path / f"blob of {name}")
        (tmp_path / "cache" / name).symlink_to(tmp_path / f"blob of {name}")
    assert np.array_equal(onnx_logits(tmp_path / "cache" / "model.onnx")(sound), expected(sound))
    (folder / "model.onnx_data").touch()
    export(str(random_model), tmp_path / "model")
    assert {path.name for path in folder.iterdir()} == names


def test_another_folder_has_all_that_a_browser_needs(random_model, tmp_path):
    report = export(str(random_model), tmp_path / "out")
    assert "How much 8-bit numbers raise the error rate is unknown" in report_table(report)
    assert "cer" not in report["variants"]["int8"]
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    needed = {"config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json", "vocab.json"}
    assert needed | {"onnx/model.onnx", "onnx/model_quantized.onnx", "onnx/export.json"} <= names
    assert "model.safetensors" not in names


def test_another_folder_has_the_models_language_model_and_calibration(random_model, tmp_path):
    """Without them the menus and pages that use the export decoded greedily, and nobody was told."""
    source, out = tmp_path / "model", tmp_path / "out"
    shutil.copytree(random_model, source)
    assert not (source / "language_model").exists()
    learned = language_model.learn(["ba ba ba", "bo ba"])
    language_model.save(dataclasses.replace(learned, share=0.5), source)
    (source / "calibration.json").write_text("{}")

    def copied():
        export(str(source), out)
        names = ("language_model", "calibration.json")
        files = [path for name in names for path in (out / name, *(out / name).glob("*")) if path.is_file()]
        assert all(path.read_bytes() == (source / path.relative_to(out)).read_bytes() for path in files)
        return [path.name for path in sorted(files)]

    assert copied() == ["calibration.json", "characters.arpa.gz", "weights.json", "words.arpa.gz"]
    loaded = language_model.load(str(out))
    assert (loaded.share, loaded.words is not None) == (0.5, True)
    language_model.save(learned, source)  # without a share, the words are not kept
    assert copied() == ["calibration.json", "characters.arpa.gz", "weights.json"]
    shutil.rmtree(source / "language_model")
    (source / "calibration.json").unlink()
    assert copied() == []
    assert not (out / "language_model").exists()


def test_a_language_model_that_was_made_for_the_export_stays(random_model, tmp_path):
    """language_model.py --output_dir may name the folder of an export; its calibration is fitted to it."""
    source, out = tmp_path / "model", tmp_path / "out"
    shutil.copytree(random_model, source)
    export(str(source), out)
    language_model.save(language_model.learn(["ba ba ba"]), out)
    (out / "calibration.json").write_text('{"own": 1}')
    language_model.save(language_model.learn(["bo bo"]), source)
    (source / "calibration.json").write_text("{}")
    before = {path.name: path.read_bytes() for path in (out / "language_model").iterdir()}
    export(str(source), out)
    assert {path.name: path.read_bytes() for path in (out / "language_model").iterdir()} == before
    assert (out / "calibration.json").read_text() == '{"own": 1}'


def test_the_weights_of_layers_and_convolutions_are_in_8_bits_and_the_head_is_not(random_model, tmp_path):
    export(str(random_model), tmp_path)
    model, _ = load_trained(str(random_model))
    linear = [m for m in model.hubert.modules() if isinstance(m, torch.nn.Linear)]
    convolutions = [layer.conv for layer in model.hubert.feature_extractor.conv_layers[1:]]
    initializers = onnx.load(tmp_path / "onnx" / "model_quantized.onnx").graph.initializer
    eight_bits = [math.prod(i.dims) for i in initializers if i.data_type == onnx.TensorProto.INT8 and len(i.dims) > 1]
    assert sum(eight_bits) == sum(m.weight.numel() for m in (*linear, *convolutions))
    floats = [tuple(i.dims) for i in initializers if i.data_type == onnx.TensorProto.FLOAT]
    assert tuple(model.lm_head.weight.shape)[::-1] in floats


def test_the_next_command_has_the_models_name(exported):
    folder, report = exported
    assert f"python recipes/deploy.py --kind browser --model {folder} --space OWNER/NAME" in next_steps(report, folder)
    assert "python recipes/deploy.py --model ana/my_model --space" in next_steps(report, folder, "ana/my_model")


def test_8_bits_hear_quiet_frames_beside_loud_ones(tmp_path):
    # The architecture of mHuBERT-147, whose convolutions have no norm between them: with one scale for all frames,
    # the quiet ones would be rounded to nothing and a third of the labels would turn out otherwise.
    torch.manual_seed(0)
    tokenizer = build_tokenizer(["abcdefghijkl"])
    small = {"hidden_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 192}
    model = HubertForCTC(HubertConfig(**small, vocab_size=len(tokenizer), pad_token_id=0)).eval()
    model.save_pretrained(tmp_path / "model")
    save_processor(Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer), tmp_path / "model")
    export(str(tmp_path / "model"), tmp_path / "model")
    sound = np.random.default_rng(0).standard_normal(96_000).astype(np.float32)
    sound *= np.repeat([1, 0.01, 0.1], 32_000).astype(np.float32)
    with torch.inference_mode():
        expected = model(torch.from_numpy(sound)[None]).logits[0].numpy()
    found = onnx_logits(tmp_path / "model" / "onnx" / "model_quantized.onnx")(sound)
    assert found.shape == expected.shape
    assert np.linalg.norm(found - expected) < 0.05 * np.linalg.norm(expected - expected.mean(0))


def test_the_tokenizer_of_the_browser_writes_the_same(tmp_path):
    tokenizer = build_tokenizer(["ba ñ¹", "a'ʼ", "e\u0301"])
    save_processor(Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer), tmp_path)
    fast = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in ("ba ñ¹", "e\u0301 aa", "abba"):
        assert fast.encode(text).ids == tokenizer(text).input_ids
    labels = [5, 5, 0, 5, 4, 0, 0, 2, 8, 7, 7]  # b b _ b a _ _ | ñ ¹ ¹
    assert fast.decode(labels) == "bba ñ¹"
    assert json.loads((tmp_path / "preprocessor_config.json").read_text())["do_normalize"] is True


def test_transformers_still_reads_it(exported):
    write = pipeline("automatic-speech-recognition", str(exported[0]))
    sound = (np.random.default_rng(0).standard_normal(48_000) * 0.1).astype(np.float32)
    trained = Recognizer(exported[0])
    assert isinstance(write(sound)["text"], str)
    assert len(load_processor(str(exported[0])).tokenizer) == len(trained.labels.symbols)


def test_the_recipe_puts_it_into_the_card(exported, demo_dataset, recipe, tmp_path):
    shutil.copytree(exported[0], tmp_path / "model", ignore=shutil.ignore_patterns("onnx"))
    splits = load_splits(demo_dataset)
    write_model_card(tmp_path / "model", base_model="base", dataset=str(demo_dataset), splits=splits,
                     scores={"wer": 0.5, "cer": 0.1}, settings={}, steps=1, seconds=1.0)  # fmt: skip
    for _ in range(2):  # again, it takes the place of what was there
        done = recipe("export.py", "--model", tmp_path / "model", "--dataset", demo_dataset)
        assert done.returncode == 0, done.stderr
        assert "| as trained |" in done.stdout
        assert "INFO" not in done.stdout + done.stderr
    text = ModelCard.load(tmp_path / "model" / "README.md").text
    assert text.count("## On processors and in browsers") == 1
    assert "| as trained |" in text


def test_mistakes_are_named(random_model, tmp_path):
    with pytest.raises(U2UError, match="ana/model: is not a folder on this computer: give --output_dir"):
        own_folder("ana/model")
    shutil.copytree(random_model, tmp_path / "model")
    (tmp_path / "model" / "onnx").mkdir()
    (tmp_path / "model" / "onnx" / "model.onnx").write_bytes(b"no")
    with pytest.raises(U2UError, match=r"model\.onnx: cannot be loaded: .*: export it again with recipes/export\.py"):
        Recognizer(tmp_path / "model")
