import pytest
import torch

from u2u_hf.records import U2UError
from u2u_hf.settings import seconds_of
from u2u_hf.training.arguments import CtcTrainingArguments


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"time_budget": "two hours"}, "--time_budget two hours: write it as 2h30m"),
        ({"time_budget": "2h", "eval_steps": 500}, "--eval_steps 500: with --time_budget give a share"),
        ({"batch_seconds": 0}, "--batch_seconds 0: give seconds of audio"),
        ({"hold_encoder": 1.5}, "--hold_encoder 1.5"),
        ({"speed_perturbation": 10}, "--speed_perturbation 10"),
        ({"bf16": True, "fp16": True}, "the settings do not go together"),
        ({"per_device_train_batch_size": 4}, "--per_device_train_batch_size: has no effect here: --batch_seconds sets"),
        ({"auto_find_batch_size": True}, "--auto_find_batch_size: has no effect here: what fits"),
        ({"train_sampling_strategy": "group_by_length"}, "--train_sampling_strategy: has no effect here: batches"),
        ({"data_seed": 3}, "--data_seed: has no effect here: --seed also orders"),
        ({"label_smoothing_factor": 0.1}, "--label_smoothing_factor: has no effect here: CTC"),
        ({"resume_from_checkpoint": "x"}, "--resume_from_checkpoint: has no effect here: --resume resumes"),
    ],
)
def test_settings_that_do_not_go_together(settings, message):
    with pytest.raises(U2UError, match=message):
        CtcTrainingArguments(output_dir="x", **settings)


def test_a_duration_in_words():
    assert [seconds_of(x) for x in ("2h30m", "90s", "45m", "1d", "1.5h", "1h 5s")] == [
        9000,
        90,
        2700,
        86400,
        5400,
        3605,
    ]


def test_a_processor_is_asked_for_by_the_launcher(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (8, 0))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    args = CtcTrainingArguments(output_dir="x")
    assert (args.device.type, args.dataloader_num_workers) == ("cpu", 0)


def test_checkpointing_in_which_frozen_models_learn_nothing_is_refused():
    with pytest.raises(U2UError, match="--activation_checkpointing_kwargs: use_reentrant does not work here"):
        CtcTrainingArguments(output_dir="x", activation_checkpointing_kwargs='{"use_reentrant": true}')
