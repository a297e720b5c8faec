"""Frozen layers: what does not learn, what is not stored, and what comes after."""

import weakref

import datasets
import pytest
import torch
from support.families import CONFIGS, save_base
from support.trainers import PLAIN, SPLITS, rows

from u2u_hf.publishing.export import export
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.saving import save_trained
from u2u_hf.training.trainer_setup import build_trainer

pytest_plugins = ["support.trainers"]


@pytest.fixture
def of_family(tmp_path):
    """Build a trainer of a very small model of a family; both of its layers always learn if they are not frozen."""

    def of_family(name, **settings):
        base = tmp_path / "base"
        if not base.exists():
            save_base(CONFIGS[name](), base)
        settings = {"max_steps": 3, "hold_encoder": 0.0, "learning_rate": 1e-2, **PLAIN} | settings
        settings = {"eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False} | settings
        args = CtcTrainingArguments(output_dir=str(tmp_path / "run"), disable_tqdm=True, **settings)
        made = datasets.DatasetDict({split: rows(*row) for split, row in SPLITS.items()})
        return build_trainer(str(base), made, "made", args)[0]

    return of_family


class Stored:
    """A tensor that the backward pass needs, as long as torch keeps it."""

    def __init__(self, tensor):
        self.tensor = tensor


def stored_bytes(trainer):
    """The bytes that are stored between a forward and a backward pass, without weights; and the loss."""
    model, made = trainer.model.train(), []
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    batch = trainer.data_collator(list(trainer.train_dataset))

    def pack(tensor):
        stored = Stored(tensor)
        made.append(weakref.ref(stored))
        return stored

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda stored: stored.tensor):
        loss = trainer.compute_loss(model, batch)
    storages = [stored().tensor.untyped_storage() for stored in made if stored()]
    return sum({s.data_ptr(): s.nbytes() for s in storages if s.data_ptr() not in weights}.values()), loss


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_frozen_neither_learns_nor_stores(of_family, name):
    stored, changed = [], []
    for count in (0, 1, 2):
        trainer = of_family(name, freeze_layers=count)
        stored.append(stored_bytes(trainer)[0])
        before = {key: p.detach().clone() for key, p in trainer.model.named_parameters()}
        trainer.train()
        learnt = [key for key, p in trainer.model.named_parameters() if not torch.equal(p, before[key])]
        changed.append({*learnt, *(f"layer {n}" for n in "01" if any(f".layers.{n}." in key for key in learnt))})
    assert stored[0] > stored[1] > stored[2]
    assert stored[2] < 0.3 * stored[0]
    assert {"layer 0", "layer 1"} < changed[0]
    assert "layer 0" not in changed[1]
    assert "layer 1" in changed[1]
    # Below the layers nothing learns; above them the head does, and the norm of those that have one there.
    above = {key.removesuffix(".weight").removesuffix(".bias") for key in changed[2]}
    head = {"omniasr": "ctc_head"}.get(name, "lm_head")
    norm = {"omniasr": "model.audio_tower.layer_norm", "xls-r": "wav2vec2.encoder.layer_norm"}
    norm |= {"mms with adapters": "wav2vec2.encoder.layer_norm", "wavlm large": "wavlm.encoder.layer_norm"}
    assert above == {head} | ({norm[name]} if name in norm else set())
    assert changed[1] >= changed[2]


@pytest.mark.parametrize("name", ["hubert", "wavlm", "wav2vec2-bert", "omniasr"])
def test_layers_above_learn_the_same_if_they_are_computed_twice(of_family, name):
    found = []
    for twice in (False, True):
        trainer = of_family(name, freeze_layers=1)
        if twice:
            trainer.model.activation_checkpointing_enable()
        size, loss = stored_bytes(trainer)
        loss.backward()
        gradients = {key: p.grad for key, p in trainer.model.named_parameters() if p.grad is not None}
        found.append((size, gradients))
    (usual, expected), (twice, gradients) = found
    assert twice < usual
    assert gradients.keys() == expected.keys()
    assert any("layers.1." in key for key in gradients)
    for key, gradient in gradients.items():
        assert torch.allclose(gradient, expected[key], rtol=1e-3, atol=1e-5), key


@pytest.mark.parametrize("count", [-1, 3])
def test_more_layers_than_there_are(make, count):
    with pytest.raises(U2UError, match=f"--freeze_layers {count}: the encoder has 2 layers: give 0 to 2"):
        make(freeze_layers=count)


def test_a_run_with_frozen_layers_is_resumed_and_exported(make, tmp_path, capsys):
    settings = {**PLAIN, "freeze_layers": 1, "max_steps": 4, "save_strategy": "steps", "save_steps": 2}
    whole = make(**settings)
    whole.train()
    said = capsys.readouterr().out
    assert "the lowest 1 of 2 layers are frozen, and all below: " in said
    resumed = make(**settings)
    resumed.train(tmp_path / "run" / "checkpoint-2")
    for key, weight in whole.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], weight), key
    other = make(**settings | {"freeze_layers": 2})
    with pytest.raises(U2UError, match=r"checkpoint-2: was trained with another --freeze_layers: resume with the same"):
        other.train(tmp_path / "run" / "checkpoint-2")
    save_trained(resumed, resumed.processing_class, tmp_path / "model")
    assert export(str(tmp_path / "model"), tmp_path / "model")["variants"]["onnx"]["agreement"] == 1
    assert Recognizer(tmp_path / "model").engine.startswith("onnxruntime")
