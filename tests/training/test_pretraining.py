import itertools

import datasets
import numpy as np
import pytest
import torch
from support.families import CONFIGS, save_base
from support.trainers import rows

from u2u_hf.data.audio import flac_bytes
from u2u_hf.data.collator import CtcCollator
from u2u_hf.demo.quickstart import BASE_MODEL
from u2u_hf.recognition.families.registry import family_of
from u2u_hf.recognition.model import start_from
from u2u_hf.training import clusters
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.clusters import cluster_targets
from u2u_hf.training.pretraining import build_pretrainer, load_encoder, masked_spans, save_encoder

SECONDS = [1.0, 0.6, 0.3]  # 49, 29 and 14 frames


@pytest.fixture
def speech():
    return rows([""] * 3, SECONDS)


def arguments(folder, **settings):
    settings = {"max_steps": 4, "learning_rate": 1e-2, "head_learning_rate": 1e-2, "save_strategy": "no"} | settings
    settings |= {"disable_tqdm": True}
    return CtcTrainingArguments(
        output_dir=str(folder),
        eval_strategy="no",
        load_best_model_at_end=False,
        bf16=False,
        **settings,
    )


def test_each_frame_has_a_target_which_is_the_same_again_and_kept(random_base, speech, tmp_path):
    model, processor = start_from(str(random_base), ["ab"])
    found = [cluster_targets(model, processor, speech, 3, 0, tmp_path / f"{name}.npz") for name in "ab"]
    assert {row: len(targets) for row, targets in found[0].items()} == {0: 49, 1: 29, 2: 14}
    assert set(np.concatenate(list(found[0].values())).tolist()) <= {0, 1, 2}
    assert len(set(np.concatenate(list(found[0].values())).tolist())) > 1
    for one, other in zip(*(targets.values() for targets in found), strict=True):
        assert one.tolist() == other.tolist()
    # What is kept is not computed again: another model changes nothing.
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
    again = cluster_targets(model, processor, speech, 3, 0, tmp_path / "a.npz")
    assert {row: targets.tolist() for row, targets in again.items()} == {
        row: targets.tolist() for row, targets in found[0].items()
    }


def test_with_a_time_only_the_rows_have_targets_that_it_is_enough_for(random_base, tmp_path, monkeypatch):
    seconds_of = [1.0] * 8
    speech = rows([""] * 8, seconds_of)
    drawn = np.random.default_rng(0).permutation(8).tolist()
    ticks = itertools.count()
    monkeypatch.setattr(clusters, "awake_clock", lambda: lambda: float(next(ticks)))
    model, processor = start_from(str(random_base), ["ab"])

    def found(seconds):
        return cluster_targets(model, processor, speech, 2, 0, tmp_path / f"{seconds}.npz", seconds)

    # A look at the clock takes a second, and after each row there is one. A quarter of 10 s has passed after the third
    # row. Then the pace is 4/3 s a row, and 5 s are left when that has been told: enough for 3.75 rows.
    few = found(10.0)
    assert list(few) == sorted(drawn[:3])
    assert [len(targets) for targets in few.values()] == [49, 49, 49]
    # After the first row a quarter of 1 s has passed, and soon all.
    assert found(1.0) == {}
    assert len(found(1000.0)) == 8

    # The encoder learns from these rows, and from nothing where there are none.
    def trainer(seconds):
        return build_pretrainer(
            str(random_base), speech, arguments(tmp_path / "run"), tmp_path / f"{seconds}.npz", seconds
        )

    assert len(trainer(10.0).train_dataset) == 3
    assert trainer(1.0) is None


def test_a_short_utterance_is_padded_as_in_training_and_no_audio_is_read_twice(random_base, tmp_path, monkeypatch):
    speech = rows(["a"] * 3, [0.1, 0.1, 0.1])
    model, processor = start_from(str(random_base), ["ab"])
    lengths, read, real = [], [], datasets.Dataset.__getitem__

    def item(dataset, key):
        if isinstance(key, int):
            read.append(key)
        return real(dataset, key)

    monkeypatch.setattr(datasets.Dataset, "__getitem__", item)
    model.base_model.register_forward_pre_hook(
        lambda module, args, inputs: lengths.append(inputs["input_values"].shape[1]), with_kwargs=True
    )
    cluster_targets(model, processor, speech, 2, 0, tmp_path / "targets.npz")
    # Ten frames: 9 · 320 + 400 samples. Each row is computed twice, to learn the clusters and to tell its own.
    assert lengths == [3280] * 6
    assert sorted(read) == [0, 0, 1, 1, 2, 2]
    assert CtcCollator(processor)([speech[0]])["input_values"].shape == (1, 3280)


def test_a_hiss_and_a_hum_are_different_clusters(tmp_path):
    rng, time = np.random.default_rng(0), np.arange(8000) / 16_000
    sounds = [np.concatenate([rng.standard_normal(8000), np.sin(2 * np.pi * 200 * time)]) * 0.1 for _ in range(4)]
    speech = datasets.Dataset.from_dict(
        {"audio": [{"bytes": flac_bytes(sound), "path": "a"} for sound in sounds], "duration": [1.0] * 4}
    )
    model, processor = start_from(str(BASE_MODEL), ["ab"])
    for row in cluster_targets(model, processor, speech, 2, 0, tmp_path / "targets.npz").values():
        hiss, hum = (np.bincount(half, minlength=2) for half in (row[:23], row[26:]))
        assert hiss.argmax() != hum.argmax()
        assert min(hiss.max(), hum.max()) >= 20


def test_spans_of_ten_frames_are_masked_and_no_padding():
    torch.manual_seed(0)
    frames = torch.tensor([1000, 30] * 50)
    masked = masked_spans(frames, 1000)
    assert not masked[1::2, 30:].any()
    # A frame is free if no span begins at it or at the nine before: 0.92^10 of all frames.
    assert masked[::2].float().mean().item() == pytest.approx(1 - 0.92**10, abs=0.02)
    starts = masked[::2] & ~torch.nn.functional.pad(masked[::2], (1, 0))[:, :-1]
    for row, column in starts.nonzero().tolist()[:50]:
        assert masked[2 * row, column : column + 10].all()


@pytest.mark.parametrize("name", CONFIGS)
def test_every_family_learns_and_fine_tuning_starts_from_it(name, speech, tmp_path):
    base = save_base(CONFIGS[name](), tmp_path / "base")
    trainer = build_pretrainer(str(base), speech, arguments(tmp_path / "run"), tmp_path / "targets.npz")
    before = {key: value.clone() for key, value in trainer.model.base_model.state_dict().items()}
    trainer.train()
    save_encoder(trainer, tmp_path / "encoder.safetensors")
    after = trainer.model.base_model.state_dict()
    changed = {key for key, value in after.items() if not torch.equal(value, before[key])}
    assert any("attention" in key or "self_attn" in key for key in changed)
    assert any(key.endswith("masked_frame") for key in changed)
    assert not any("conv_layers" in key for key in changed)
    model, _ = start_from(str(base), ["ab"], {"mask_time_prob": 0.3, "apply_spec_augment": True})
    load_encoder(model, tmp_path / "encoder.safetensors")
    for key, value in model.base_model.state_dict().items():
        if not key.endswith("masked_spec_embed"):
            assert torch.equal(value, after[key]), key
    assert getattr(model, family_of(model).head).out_features == 5


def test_an_encoder_of_another_model_is_not_taken(random_base, speech, tmp_path):
    trainer = build_pretrainer(str(random_base), speech, arguments(tmp_path / "run"), tmp_path / "targets.npz")
    save_encoder(trainer, tmp_path / "encoder.safetensors")
    model, _ = start_from(str(save_base(CONFIGS["wavlm"](), tmp_path / "base")), ["ab"])
    with pytest.raises(RuntimeError):
        load_encoder(model, tmp_path / "encoder.safetensors")


def test_the_loss_is_that_of_masked_frames_and_falls(random_base, speech, tmp_path):
    trainer = build_pretrainer(
        str(random_base), speech, arguments(tmp_path / "run", max_steps=60, logging_steps=1), tmp_path / "targets.npz"
    )
    batch = trainer.data_collator([trainer.examples[i] for i in range(3)])
    torch.manual_seed(1)
    loss, outputs = trainer.compute_loss(trainer.model.eval(), batch, return_outputs=True)
    # By hand, with the frames that were masked.
    total = count = 0
    for row, targets in enumerate(batch["labels"]):
        for frame in trainer._mask.chosen[row].nonzero().flatten().tolist():
            total -= outputs.logits[row, frame].log_softmax(-1)[targets[frame]].item()
            count += 1
    assert count > 10
    assert loss.item() == pytest.approx(total / count, rel=1e-4)
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:5])
