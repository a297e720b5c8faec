import math

import datasets
import numpy as np
import pytest
import torch
from transformers import TrainerCallback

from u2u_hf.arguments import CtcTrainingArguments
from u2u_hf.audio import flac_bytes
from u2u_hf.collator import CtcCollator
from u2u_hf.records import U2UError
from u2u_hf.trainer import build_trainer, infeasible


def rows(texts, seconds, seed=0):
    rng = np.random.default_rng(seed)
    return datasets.Dataset.from_dict(
        {
            "audio": [
                {"bytes": flac_bytes(rng.standard_normal(round(s * 16_000)) * 0.1), "path": f"{i}.flac"}
                for i, s in enumerate(seconds)
            ],
            "text": texts,
            "duration": seconds,
        }
    )


@pytest.fixture
def trainer(random_base, tmp_path):
    splits = datasets.DatasetDict(
        train=rows(["ab", "ba a", "b"], [1.0, 0.5, 0.8]), validation=rows(["ab", "a"], [1, 0.4])
    )
    args = CtcTrainingArguments(
        output_dir=str(tmp_path), use_cpu=True, max_steps=8, per_device_eval_batch_size=2, learning_rate=1e-2,
        disable_tqdm=True, save_strategy="no", eval_strategy="no", load_best_model_at_end=False, hold_encoder=0.5,
    )  # fmt: skip
    return build_trainer(str(random_base), splits, "made", args)[0]


def test_a_batch_is_padded_at_the_end_and_says_how_many_frames_hold_audio(trainer):
    batch = trainer.data_collator([trainer.train_dataset[i] for i in (1, 0)])
    assert batch["input_values"].shape == (2, 16_000)
    assert batch["attention_mask"].sum(1).tolist() == [8000, 16_000]
    assert batch["input_values"][0, 8000:].abs().max() == 0
    assert batch["input_values"][0, :8000].std().item() == pytest.approx(1, abs=1e-2)
    assert batch["labels"].tolist() == [[4, 3, 2, 3], [3, 4, -100, -100]]  # "ba a", "ab" with a=3, b=4, |=2
    assert batch["frames"].tolist() == [24, 49]


def test_evaluation_hears_nothing_in_the_padding(trainer):
    batch = trainer.data_collator([trainer.eval_dataset[i] for i in range(2)])
    _, predicted, labels = trainer.prediction_step(trainer.model, batch, False)
    assert predicted.shape == (2, 49)
    assert (predicted[0, 19:] == 0).all()  # the shorter one comes first: 0.4 s are 19 frames
    assert predicted[0, :19].any()
    assert labels.tolist() == [[3, -100], [3, 4]]


def test_a_few_steps_learn_and_the_convolutions_stay(trainer):
    before = {name: p.clone() for name, p in trainer.model.named_parameters()}
    first = trainer.evaluate()
    trainer.train()
    assert trainer.evaluate()["eval_loss"] < first["eval_loss"]
    assert {"eval_wer", "eval_cer"} <= set(first)
    for name, parameter in trainer.model.named_parameters():
        if "feature_extractor" in name:
            assert torch.equal(parameter, before[name])
    assert not torch.equal(trainer.model.lm_head.weight, before["lm_head.weight"])


def test_the_head_learns_first_and_faster(trainer):
    rates = []

    class Watch(TrainerCallback):
        def on_optimizer_step(self, args, state, control, optimizer=None, **_):
            rates.append({group["head"]: group["lr"] for group in optimizer.param_groups})

    before = {name: p.clone() for name, p in trainer.model.hubert.named_parameters()}
    trainer.add_callback(Watch())
    trainer.train()
    assert [row[False] for row in rates[:4]] == [0, 0, 0, 0]  # half of 8 steps
    assert all(row[False] > 0 for row in rates[5:])
    # Warm-up of 1 step, full until half of the steps, then a cosine to 0: by hand for steps 0 to 7.
    cosine = [(1 + math.cos(math.pi * x / 4)) / 2 for x in range(4)]
    assert [row[True] / 1e-3 for row in rates] == pytest.approx([0, 1, 1, 1, *cosine])
    assert rates[6][False] == pytest.approx(1e-2 * cosine[2])
    assert not torch.equal(trainer.model.hubert.encoder.layer_norm.weight, before["encoder.layer_norm.weight"])


def test_utterances_that_ctc_cannot_spell_are_found():
    # 0.1 s are 4 frames: "abcd" needs 4, "abcc" needs 5.
    assert infeasible(rows(["abcd", "abcc", "a"], [0.1, 0.1, 0.01])) == [1, 2]


def test_an_empty_split_is_named(random_base, tmp_path):
    splits = datasets.DatasetDict(train=rows(["a"], [1.0]))
    with pytest.raises(U2UError, match="made: has no utterance in split validation"):
        build_trainer(str(random_base), splits, "made", CtcTrainingArguments(output_dir=str(tmp_path), use_cpu=True))


def test_audio_that_cannot_be_decoded_is_named(trainer):
    with pytest.raises(U2UError, match=r"broken\.flac: its audio cannot be decoded"):
        CtcCollator(trainer.processing_class)(
            [{"audio": {"bytes": b"noise", "path": "broken.flac"}, "text": "a", "duration": 1.0}]
        )
