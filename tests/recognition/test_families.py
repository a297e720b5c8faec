"""Every family of models: trained, exported, transcribing; and bases that cannot be taken."""

import json

import datasets
import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from support.families import CONFIGS, MASKED, extractor_of, save_base
from support.trainers import SPLITS, rows
from transformers import (
    AutoModelForCTC,
    SeamlessM4TFeatureExtractor,
    Wav2Vec2FeatureExtractor,
    WhisperConfig,
    pipeline,
)

from u2u_hf.data.collator import CtcCollator
from u2u_hf.data.inputs import LOG_MEL
from u2u_hf.frames import frame_count
from u2u_hf.publishing.export import export
from u2u_hf.recognition.decoding import collapse
from u2u_hf.recognition.families.registry import FAMILIES, family_of
from u2u_hf.recognition.model import load_trained, start_from
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.regularisation import Regularisation
from u2u_hf.training.saving import save_trained
from u2u_hf.training.trainer_setup import build_trainer

SOUND = (np.random.default_rng(0).standard_normal(24_000) * 0.01).astype(np.float32)  # a quiet one


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """name → a model trained in three steps from a base of that kind, and the weights that it began with."""
    made = {}

    def trained(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("family")
            base = save_base(CONFIGS[name](), folder / "base")
            args = CtcTrainingArguments(
                output_dir=str(folder / "run"),
                max_steps=3,
                learning_rate=1e-2,
                hold_encoder=0.0,
                eval_strategy="no",
                save_strategy="no",
                load_best_model_at_end=False,
                disable_tqdm=True,
                bf16=False,
            )
            splits = datasets.DatasetDict({split: rows(*row) for split, row in SPLITS.items()})
            trainer, processor = build_trainer(str(base), splits, "made", args)
            before = {key: value.clone() for key, value in trainer.model.state_dict().items()}
            trainer.train()
            assert np.isfinite(trainer.evaluate()["eval_loss"])
            save_trained(trainer, processor, folder / "model")
            made[name] = folder / "model", before
        return made[name]

    return trained


@pytest.mark.parametrize("name", CONFIGS)
def test_the_encoder_learns_and_the_convolutions_stay(trained, name):
    folder, before = trained(name)
    model, _ = load_trained(str(folder))
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert any("attention" in key or "self_attn" in key for key in changed)
    assert any(key.startswith(family_of(model).head) for key in changed)
    assert not any("conv_layers" in key for key in changed)


@pytest.mark.parametrize("name", CONFIGS)
def test_in_onnx_it_writes_what_torch_writes(trained, tmp_path, name):
    folder, _ = trained(name)
    expected = Recognizer(folder)
    report = export(str(folder), tmp_path)
    assert report["variants"]["onnx"]["difference"] < 1e-4
    assert report["variants"]["onnx"]["agreement"] == 1
    assert report["variants"][report["quantized"]]["agreement"] > 0.9
    (tmp_path / "onnx" / "model_quantized.onnx").unlink()
    found = Recognizer(tmp_path)
    assert found.engine == "onnxruntime, model.onnx"
    for samples in (SOUND, 20 * SOUND[:10_000], SOUND[:560], SOUND[:399]):
        rows = found.log_probs(samples)
        assert rows.shape == expected.log_probs(samples).shape
        assert np.allclose(rows, expected.log_probs(samples), atol=1e-4)
    assert collapse(rows.argmax(1), found.labels) == collapse(expected.log_probs(SOUND[:399]).argmax(1), found.labels)


# Of Omnilingual ASR it calls the mask by another name than the model does (transformers 5.24).
@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "omniasr"])
def test_the_pipeline_of_transformers_writes_what_we_write(trained, name):
    folder, _ = trained(name)
    recognizer = Recognizer(folder)
    samples = SOUND[: 560 + 320 * 20]  # without a rest: log-mel extractors make a frame of it
    ours = collapse(recognizer.log_probs(samples).argmax(1), recognizer.labels)
    theirs = pipeline("automatic-speech-recognition", str(folder))(samples)["text"]
    assert ours.replace("[UNK]", "") == " ".join(theirs.replace("[UNK]", "").split())


@pytest.mark.parametrize("name", ["wavlm", "wav2vec2-bert", "omniasr"])
def test_a_run_that_was_stopped_resumes_as_if_it_were_not(tmp_path, name):
    base = save_base(CONFIGS[name](), tmp_path / "base")
    splits = datasets.DatasetDict({split: rows(*row) for split, row in SPLITS.items()})
    weights = []
    for checkpoint in (None, tmp_path / "run" / "checkpoint-2"):
        args = CtcTrainingArguments(
            output_dir=str(tmp_path / "run"),
            max_steps=4,
            eval_strategy="no",
            save_steps=2,
            save_total_limit=2,
            load_best_model_at_end=False,
            disable_tqdm=True,
            bf16=False,
        )
        trainer, _ = build_trainer(str(base), splits, "made", args)
        trainer.train(checkpoint)
        weights.append(trainer.model.state_dict())
    for key, value in weights[0].items():
        assert torch.equal(weights[1][key], value), key


@pytest.mark.parametrize("name", MASKED)
def test_padding_changes_nothing_where_it_is_masked(trained, name):
    model, processor = load_trained(str(trained(name)[0]))
    made = rows(["a", "b"], [0.5, 1.3])
    batch = CtcCollator(processor)(list(made))
    frames, inputs = batch.pop("frames"), {key: value for key, value in batch.items() if key != "labels"}
    assert len(inputs) == 2  # with a mask
    with torch.inference_mode():
        together = model(**inputs).logits.log_softmax(-1)
        for index, row in enumerate(made):
            alone = CtcCollator(processor)([row])
            alone = model(**{key: alone[key] for key in inputs}).logits.log_softmax(-1)[0]
            assert len(alone) == frames[index]
            assert torch.allclose(together[index, : frames[index]], alone, atol=1e-4)


def test_models_with_group_norm_have_no_mask(trained):
    for name in set(CONFIGS) - set(MASKED):
        _, processor = load_trained(str(trained(name)[0]))
        assert "attention_mask" not in CtcCollator(processor)(list(rows(["a"], [0.5])))


def test_log_mel_frames_are_counted_and_placed(trained):
    # A frame is two windows of 400 samples, 160 apart: 560 samples, whose middle lies 80 later than that of 400.
    recognizer = Recognizer(trained("wav2vec2-bert")[0])
    for samples in (559, 560, 879, 880, 16_000):
        assert len(recognizer.log_probs(SOUND[:samples])) == frame_count(samples, 560)
    assert frame_count(16_000, 560) == 49
    assert recognizer.labels.delay_ms == 5
    assert Recognizer(trained("hubert")[0]).labels.delay_ms == 0


def test_the_exported_log_mels_are_those_of_the_extractor():
    from u2u_hf.recognition.families.log_mel import _LogMelToLogits

    class Features(torch.nn.Module):
        def forward(self, features):
            self.logits = features
            return self

    random = np.random.default_rng(0)
    time = np.arange(16_160) / 16_000
    hum = np.sin(2 * np.pi * 50 * time) * (0.6 + 0.4 * np.sin(20 * time)) + 0.2  # loud and low, with an offset
    for samples in (random.standard_normal(16_160) * 0.1, hum + 1e-3 * random.standard_normal(16_160)):
        samples = samples.astype(np.float32)
        found = _LogMelToLogits(Features())(torch.from_numpy(samples)[None])[0].numpy()
        assert np.allclose(found, LOG_MEL.single(SeamlessM4TFeatureExtractor(), samples), atol=2e-3)


def _bases(folder):
    """Bases that cannot be taken: name → what makes it in `folder`, and what is said."""

    def config(**changes):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")

    def weights(change):
        save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", {"format": "pt"})

    def whisper():
        WhisperConfig().save_pretrained(folder)
        Wav2Vec2FeatureExtractor().save_pretrained(folder)

    def unknown():
        save_base(CONFIGS["hubert"](), folder)
        config(model_type="zipformer")

    def nameless():
        save_base(CONFIGS["hubert"](), folder)
        config(model_type=None)

    def slow():
        save_base(CONFIGS["hubert"](), folder)
        config(conv_stride=[10, 2, 2, 2, 2, 2, 2])

    def other_extractor():
        save_base(CONFIGS["xls-r"](), folder)
        SeamlessM4TFeatureExtractor().save_pretrained(folder)

    def other_shapes():
        save_base(CONFIGS["xls-r"](), folder)
        config(intermediate_size=48)

    def wavlm_as_hubert():
        save_base(CONFIGS["wavlm"](), folder)
        config(model_type="hubert")

    def half():
        save_base(CONFIGS["wavlm"](), folder)
        path = folder / "model.safetensors"
        path.write_bytes(path.read_bytes()[:5000])

    def torso():
        save_base(CONFIGS["wav2vec2-bert"](), folder)
        weights(lambda tensors: {key: value for key, value in tensors.items() if "layers.1." not in key})

    def adapter():
        config = CONFIGS["xls-r"]()
        config.add_adapter = True
        save_base(config, folder)

    known = "take one of HuBERT (mHuBERT-147), wav2vec 2.0 (XLS-R, MMS), WavLM, Wav2Vec2-BERT, Omnilingual ASR CTC"
    return {
        "whisper": (whisper, f"is a whisper model: {known}"),
        "unknown": (unknown, f"is a zipformer model: {known}"),
        "nameless": (nameless, f"its config.json names no model_type: {known}"),
        "slow": (slow, "cannot be fine-tuned: its frames are 40 ms apart and 49.375 ms long, not 20 ms and 25 ms"),
        "other extractor": (other_extractor, "is not a wav2vec 2.0 model (its feature extractor is SeamlessM4TFeat"),
        "other shapes": (other_shapes, "its weights and its config.json do not fit: wav2vec2.encoder.layers.0."),
        "wavlm as hubert": (wavlm_as_hubert, "is not a HuBERT model (it has "),
        "half a file": (half, "cannot be loaded: "),
        "torso": (torso, "is not a Wav2Vec2-BERT model (it has no wav2vec2_bert.encoder.layers.1."),
        "adapter": (adapter, "cannot be fine-tuned: its adapter (add_adapter) halves the frame rate"),
    }


@pytest.mark.parametrize("name", _bases(None))
def test_a_base_that_cannot_be_taken_is_named_in_one_line(tmp_path, name):
    folder = tmp_path / "base"
    folder.mkdir()
    make, said = _bases(folder)[name]
    make()
    with pytest.raises(U2UError) as caught:
        start_from(str(folder), ["ab"])
    message = str(caught.value).replace(str(folder), "base")
    assert message.startswith(f"base: {said}")
    assert "\n" not in message
    assert len(message) < 200


@pytest.mark.parametrize("name", ["wav2vec2", "omniasr"])
def test_a_head_of_another_alphabet_with_as_many_labels_is_not_kept(tmp_path, name):
    config = CONFIGS[name]()
    config.vocab_size, config.pad_token_id = 5, 0
    theirs = AutoModelForCTC.from_config(config)
    theirs.save_pretrained(tmp_path)
    extractor_of(config).save_pretrained(tmp_path)
    model, processor = start_from(str(tmp_path), ["ab"])
    assert len(processor.tokenizer) == 5
    head = family_of(model).head
    assert not torch.equal(getattr(model, head).weight, getattr(theirs, head).weight)
    assert not getattr(model, head).bias.any()


@pytest.mark.parametrize("form", ["parametrizations", "weight_g and weight_v"])
@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_weights_load_whole_in_all_forms_that_models_are_published_in(tmp_path, form, file):
    save_base(CONFIGS["hubert"](), tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    old, new = ("weight_g", "weight_v"), ("parametrizations.weight.original0", "parametrizations.weight.original1")
    for one, other in (*zip(old, new, strict=True), *zip(new, old, strict=True)):
        if (other in new) == (form == "parametrizations"):
            tensors = {key.replace(one, other): value for key, value in tensors.items()}
    if file.endswith(".bin"):
        torch.save(tensors, tmp_path / file)
    else:
        save_file(tensors, tmp_path / file, {"format": "pt"})
    model, _ = start_from(str(tmp_path), ["ab"])
    position = model.hubert.encoder.pos_conv_embed.conv.parametrizations.weight
    found = [value for key, value in tensors.items() if "pos_conv_embed" in key and "bias" not in key]
    assert len(found) == 2
    assert all(any(torch.equal(ours, theirs) for ours in position.parameters()) for theirs in found)


def test_each_family_knows_its_class():
    for family in FAMILIES.values():
        assert getattr(transformers, family.architecture).config_class.model_type == family.model_type


@pytest.mark.parametrize("name", CONFIGS)
def test_without_regularisation_nothing_is_random(tmp_path, name):
    none = Regularisation(mask_time=0, mask_feature=0, dropout=0, layerdrop=0)
    model, processor = start_from(str(save_base(CONFIGS[name](), tmp_path)), ["ab"], none.config())
    inputs = processor.feature_extractor(SOUND, sampling_rate=16_000, return_tensors="pt")
    with torch.no_grad():
        once, again = (model.train()(**inputs).logits for _ in range(2))
    assert torch.equal(once, again)
