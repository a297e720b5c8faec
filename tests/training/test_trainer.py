import io
import math
import re
import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from support.trainers import PLAIN, SPLITS
from transformers import TrainerCallback

from u2u_hf.data.collator import CtcCollator
from u2u_hf.evaluation.metrics import CHARACTERS, METRICS, Metric, error_counts
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.training.progress import Progress
from u2u_hf.training.saving import save_trained

pytest_plugins = ["support.trainers"]


class Watch(TrainerCallback):
    """Calls `see` before each step of the optimizer with its parameter groups and the state."""

    def __init__(self, see):
        self._see = see

    def on_optimizer_step(self, args, state, control, optimizer=None, **_):
        self._see(optimizer.param_groups, state)


def trained_loss(trainer) -> float:
    return next(row["train_loss"] for row in reversed(trainer.state.log_history) if "train_loss" in row)


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
    rates, learning = [], []

    def see(groups, state):
        rates.append({group["head"]: group["lr"] for group in groups})
        learning.append({group["head"] for group in groups for p in group["params"] if p.grad is not None})

    before = {name: p.clone() for name, p in trainer.model.hubert.named_parameters()}
    trainer.add_callback(Watch(see))
    trainer.train()
    assert [row[False] for row in rates[:4]] == [0, 0, 0, 0]  # half of 8 steps
    assert all(row[False] > 0 for row in rates[5:])
    assert learning == [{True}] * 4 + [{True, False}] * 4  # no gradient is computed for an encoder that is held
    # Warm-up of 1 step, full until half of the steps, then a cosine to 0: by hand for steps 0 to 7.
    cosine = [(1 + math.cos(math.pi * x / 4)) / 2 for x in range(4)]
    assert [row[True] / 1e-3 for row in rates] == pytest.approx([0, 1, 1, 1, *cosine])
    assert rates[6][False] == pytest.approx(1e-2 * cosine[2])
    assert not torch.equal(trainer.model.hubert.encoder.layer_norm.weight, before["encoder.layer_norm.weight"])


def test_both_learning_rates_and_the_intervals_are_in_the_history(make):
    trainer = make(logging_steps=2, eval_strategy="steps", eval_steps=4)
    trainer.train()
    rows = [row for row in trainer.state.log_history if "loss" in row]
    falling = [(1 + math.cos(math.pi * x / 4)) / 2 for x in (1, 3)]  # in steps 1, 3, 5 and 7, as above
    assert [row["head_learning_rate"] / 1e-3 for row in rows] == pytest.approx([1, 1, *falling])
    assert [row["learning_rate"] / 1e-2 for row in rows] == pytest.approx([0, 0, *falling])
    scores = trainer.scores()
    assert set(scores) == {f"{rate}{end}" for rate in ("wer", "cer") for end in ("", "_low", "_high")}
    assert scores["cer_low"] <= scores["cer"] <= scores["cer_high"]


@pytest.fixture
def timed(make, monkeypatch):
    """A trainer with 105 s, by a clock on which each step takes 10 s; and the head's rates, of the highest."""

    def timed(**settings):
        trainer, rates = make(max_steps=-1, time_budget="1m45s", hold_encoder=0.2, **settings), []
        monkeypatch.setattr(Progress, "seconds", property(lambda progress: 10 * trainer.state.global_step))
        trainer.add_callback(Watch(lambda groups, state: rates.append(groups[-1]["lr"] / 1e-3)))
        return trainer, rates

    return timed


def test_every_row_of_the_log_has_the_time_and_the_memory_so_far(make):
    trainer = make(max_steps=4, logging_steps=2)
    trainer.train()
    rows = [row for row in trainer.state.log_history if "loss" in row]
    assert len(rows) == 2
    assert 0 < rows[0]["seconds"] <= rows[1]["seconds"]
    # Python with torch takes more than 100 MB, and the computer has no TB.
    assert 1e8 < rows[0]["peak_bytes"] <= rows[1]["peak_bytes"] < 1e12


def test_a_time_budget_takes_the_place_of_steps(timed):
    trainer, rates = timed()
    trainer.train()
    assert trainer.state.global_step == 10  # 5 % are kept for the end: 99.75 s
    # A step's rate follows from the time at the end of the step before the last: warm-up until 9.975 s, full until
    # 49.9 s, a cosine over the rest.
    at = [max(0, 10 * (step - 1)) / 99.75 for step in range(10)]
    expected = [min(x / 0.1, 1.0) if x < 0.5 else (1 + math.cos(math.pi * (x - 0.5) / 0.5)) / 2 for x in at]
    assert rates == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    # 105 s less four pauses; a step ends every 10 s. The middle comes at 50 s, of which 4 s are less than a tenth, and
    # at 40 s, of which 10 s are more.
    ("pause", "evaluated", "saved"),
    [(4.0, [5, 9], [5, 9]), (10.0, [7], [4, 7])],
)
def test_a_time_budget_keeps_what_the_last_evaluation_will_take(timed, pause, evaluated, saved):
    trainer, _ = timed(eval_strategy="steps", eval_steps=0.5, save_strategy="steps", save_steps=0.5)
    trainer.progress.pause = pause  # as measured at an earlier one
    trainer.train()
    assert [row["step"] for row in trainer.state.log_history if "eval_cer" in row] == evaluated
    assert {p.name for p in Path(trainer.args.output_dir).iterdir()} == {f"checkpoint-{step}" for step in saved}


@pytest.mark.parametrize(("steps", "evaluated"), [(0.4, [5, 8, 11]), (2.0, [10])])
def test_the_first_evaluation_too_takes_a_tenth_at_most(timed, steps, evaluated):
    """By the steps it takes as long as: 0.4 of 10 s are more than a tenth of 30 s and less than one of 50 s.

    2 of 10 s are always more. Checkpoints, which here take no time, say nothing of it.
    """
    trainer, _ = timed(eval_strategy="steps", eval_steps=0.25, save_strategy="steps", save_steps=0.25)
    trainer.progress.evaluation_steps = steps
    trainer.train()
    assert [row["step"] for row in trainer.state.log_history if "eval_cer" in row] == evaluated


def test_what_a_step_learns_does_not_depend_on_how_it_is_divided(make):
    texts, seconds = ["ab", "ba a", "b", "aab"], [1.0, 0.5, 0.8, 0.9]
    splits = SPLITS | {"train": (texts, seconds)}
    whole = make(splits, batch_seconds=75, hold_encoder=0, max_grad_norm=0, **PLAIN)
    parts = make(splits, batch_seconds=1, gradient_accumulation_steps=4, hold_encoder=0, max_grad_norm=0, **PLAIN)
    assert len(whole.get_train_dataloader()) == 1
    assert len(parts.get_train_dataloader()) == 4
    gradients = []
    for trainer in (whole, parts):
        seen = []

        def see(groups, state, seen=seen):
            seen.append(torch.cat([p.grad.flatten() for group in groups for p in group["params"]]))

        trainer.add_callback(Watch(see))
        trainer.args.max_steps = 1
        trainer.train()
        gradients.append(seen[0])
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-5)
    # By hand: the loss of a character, over all nine of them.
    model = make(splits, **PLAIN).model.eval()
    total = 0.0
    for row in whole.train_dataset:
        batch = whole.data_collator([row])
        log_probs = model(batch["input_values"], attention_mask=batch["attention_mask"]).logits.log_softmax(-1)
        total += torch.nn.functional.ctc_loss(
            log_probs[0], batch["labels"][0], batch["frames"], torch.tensor([len(row["text"])]), reduction="sum"
        ).item()
    assert trained_loss(whole) == pytest.approx(total / 10, rel=1e-3)


def test_a_full_disk_is_one_line_and_the_last_checkpoint_stays(make, tmp_path):
    trainer = make(max_steps=4, save_strategy="steps", save_steps=2)

    class Full(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if state.global_step == 3:  # no file may grow beyond 10 kB from here on
                resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))

    trainer.add_callback(Full())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(U2UError, match=r"checkpoint-4: cannot be written \(.*\): make room, then run .* --resume"):
            trainer.train()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["checkpoint-2"]


def test_what_was_made_of_an_earlier_model_does_not_answer_for_the_new_one(trainer, tmp_path, capsys):
    for name in ("onnx/model.onnx", "language_model/weights.json", "recordings/mine.wav"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    save_trained(trainer, trainer.processing_class, tmp_path)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"recordings", "run"}
    assert f"! {tmp_path / 'onnx'}: removed, it belongs to the earlier model of this folder" in capsys.readouterr().out
    assert Recognizer(tmp_path).engine == "torch"


def test_audio_that_holds_no_numbers_is_named(trainer):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full(16_000, np.nan, np.float32), 16_000, format="WAV", subtype="FLOAT")
    row = {"audio": {"bytes": buffer.getvalue(), "path": "nan.wav"}, "text": "a", "duration": 1.0}
    with pytest.raises(U2UError, match=r"nan\.wav: its audio contains NaN"):
        CtcCollator(trainer.processing_class)([row])


def test_a_loss_that_is_lost_is_said(make):
    trainer = make(max_steps=20)
    with torch.no_grad():
        trainer.model.lm_head.weight.fill_(torch.nan)
    with pytest.raises(U2UError, match=r"step 9: the loss is not a number any more: .* lower --learning_rate"):
        trainer.train()


def test_memory_may_be_saved_by_computing_twice(make):
    splits = SPLITS | {"train": (["ab", "ba a"], [1.0, 0.9])}
    losses = []
    for twice in (False, True):
        trainer = make(splits, activation_checkpointing=twice, learning_rate=1e-3, **PLAIN)
        trainer.train()
        losses.append(trained_loss(trainer))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.parametrize(("best", "cer"), [(True, 0.1), (False, 0.5)])
def test_the_scores_are_of_the_model_that_is_kept(make, best, cer):
    trainer = make(
        load_best_model_at_end=best, eval_strategy="steps", save_strategy="steps", eval_steps=2, save_steps=2
    )
    trainer.state.log_history = [{"step": 2, "eval_cer": 0.1}, {"step": 4, "eval_cer": 0.5}]
    trainer.state.global_step, trainer.state.best_global_step = 4, 2
    trainer.state.best_model_checkpoint = "checkpoint-2"
    assert trainer.scores() == {"cer": cer}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "the GPU's memory is too small now: end other programs"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "this computer's .* a lower --batch_seconds"),
        (MemoryError(), "this computer's memory is too small: resume with --resume and a lower --batch_seconds"),
    ],
)
def test_too_little_memory_is_said(trainer, error, said):
    def compute_loss(*arguments, **settings):
        raise error

    trainer.compute_loss = compute_loss
    with pytest.raises(U2UError, match=said):
        trainer.train()


def test_a_schedule_that_is_made_on_the_way_is_refused(make):
    with pytest.raises(U2UError, match="--lr_scheduler_type reduce_lr_on_plateau: give one"):
        make(lr_scheduler_type="reduce_lr_on_plateau", eval_strategy="steps", eval_steps=2).train()


def test_epochs_may_be_asked_for(make):
    trainer = make(max_steps=-1, num_train_epochs=2, batch_seconds=1.5)
    trainer.train()
    assert trainer.state.global_step == 2 * len(trainer.get_train_dataloader())
    assert trainer.state.epoch == 2


def test_very_short_utterances_can_be_masked(make):
    trainer = make(SPLITS | {"train": (["a", "b"], [0.05, 0.06])}, mask_time=0.5, max_steps=2)
    trainer.train()
    assert np.isfinite(trained_loss(trainer))


def test_audio_that_cannot_be_decoded_is_named(trainer):
    with pytest.raises(U2UError, match=r"broken\.flac: its audio cannot be decoded"):
        CtcCollator(trainer.processing_class)(
            [{"audio": {"bytes": b"noise", "path": "broken.flac"}, "text": "a", "duration": 1.0}]
        )


def test_a_new_metric_is_in_the_training_log(make, monkeypatch, capsys):
    def sentences(hypotheses, references):
        return np.minimum(error_counts(hypotheses, references, CHARACTERS), 1)

    monkeypatch.setitem(METRICS, "ser", Metric("SER", "utterances", sentences))
    trainer = make(max_steps=2, eval_strategy="steps", eval_steps=2, disable_tqdm=False)
    trainer.train()
    assert trainer.scores()["ser"] == 1.0
    assert re.search(r"step 2: validation CER \d.*%, WER \d.*%, SER 100.0%, loss", capsys.readouterr().out)
