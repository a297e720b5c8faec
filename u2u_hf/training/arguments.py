"""The settings of a training: transformers' TrainingArguments, with defaults for a few hours of speech."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

import torch
from accelerate.utils import parse_flag_from_env
from transformers import TrainingArguments

from u2u_hf.evaluation.metrics import MAIN, METRICS
from u2u_hf.records import U2UError
from u2u_hf.settings import seconds_of, setting
from u2u_hf.training.regularisation import Regularisation, regularisation

_STEPS = 3000
# Steps of a run that ends by its time budget: a share of them stands for that share of the time.
_STEPS_OF_A_BUDGET = 1_000_000
# For mHuBERT-147, where a run is too short for a test.
_RATES = {"learning_rate": 5e-5, "head_learning_rate": 1e-3}
FOR_PRETRAINING, FOR_SELF_TRAINING = UNTRANSCRIBED_FOR = ("pretraining", "self-training")
# Settings of transformers that this training does not read, and what to give in their place.
_WITHOUT_EFFECT = {
    "per_device_train_batch_size": "--batch_seconds sets how much audio a batch has",
    "auto_find_batch_size": "what fits into the GPU's memory is always tried first",
    "train_sampling_strategy": "batches always have utterances of about one length",
    "group_by_length": "batches always have utterances of about one length",
    "length_column_name": "the column is always duration",
    "data_seed": "--seed also orders the batches",
    "label_smoothing_factor": "CTC has no label smoothing; --dropout and --mask_time regularise",
    "resume_from_checkpoint": "--resume resumes from the last checkpoint in --output_dir",
}


@dataclass
class CtcTrainingArguments(TrainingArguments):
    """Settings for fine-tuning with CTC on a few hours of speech.

    The encoder is pre-trained and the head is new: the head has a higher learning rate, and the encoder is frozen
    while the head warms up.

    Raises:
        U2UError: a setting is invalid, or two contradict each other.
    """

    output_dir: str = setting(help="folder for the model and its checkpoints")
    batch_seconds: float = setting(75.0, help="seconds of audio, with padding, that a step learns from on each device")
    max_steps: int = setting(-1, help=f"training steps (default {_STEPS}, or what --time_budget allows)")
    time_budget: str = setting("", help="stop within this time, evaluation and saving included, such as 2h30m")
    resume: bool = setting(False, help="resume from the last checkpoint in output_dir, or on the Hub")
    fresh_head: bool = setting(False, help="start with a new head where --model is a recogniser that has learnt one")
    learning_rate: float | None = setting(None, help="peak rate of the encoder (default by a test)")
    head_learning_rate: float | None = setting(None, help="peak rate of the head (default by a test)")
    hold_encoder: float = setting(0.15, help="share of the run in which the encoder is frozen, from 0 to below 1")
    freeze_layers: int = setting(0, help="lower encoder layers that never learn: each one frozen saves memory and time")
    warmup_steps: float = setting(0.1, help="steps, or share of the run, until the peak learning rate")
    lr_scheduler_type: str = setting(
        "warmup_stable_decay",
        help="learning rate schedule; the default warms up, stays, and decays over the last half",
    )
    mask_time: float | None = setting(None, help="share of frames masked (default by passes)")
    mask_feature: float | None = setting(None, help="share of feature channels masked (default by passes)")
    dropout: float | None = setting(None, help="share of activations dropped (default by passes)")
    layerdrop: float | None = setting(None, help="share of encoder layers skipped (default by passes)")
    joined: float = setting(0.0, help="share of examples that are 2 to 4 neighbouring utterances of one speaker: 0.5")
    speed_perturbation: float = setting(0.0, help="speed two thirds of the utterances up or down by this share: 0.1")
    room: float = setting(0.0, help="share of utterances in a small room: 0.5")
    microphone_db: float = setting(0.0, help="random microphones, by so many dB: 8")
    noise_snr_db: float | None = setting(None, help="add noise, from this many dB below the speech to 20 dB more: 10")
    untranscribed: str = setting("", help="recordings without transcripts: a folder, or a prepared dataset")
    untranscribed_for: list[str] = setting([FOR_SELF_TRAINING], help="use: self-training, pretraining, or both")
    untranscribed_hours: float = setting(10.0, help="hours of it to take at most, at random")
    bf16: bool | None = setting(None, help="train in bfloat16 (default by device)")
    fp16: bool | None = setting(None, help="train in float16 until it overflows, for older GPUs (default by device)")
    eval_strategy: str = setting("steps", help="when to evaluate on the validation split: steps, epoch or no")
    eval_steps: float = setting(0.1, help="steps, or share of the run, between two evaluations")
    save_steps: float = setting(0.1, help="steps, or share of the run, between two checkpoints")
    save_total_limit: int = setting(2, help="number of checkpoints to keep")
    load_best_model_at_end: bool = setting(True, help="end with the best checkpoint (or the average), not the last")
    metric_for_best_model: str = setting(MAIN, help=f"what chooses the best checkpoint: {', '.join(METRICS)} or loss")
    greater_is_better: bool = setting(False, fixed=True)
    logging_steps: float = setting(20, help="steps, or share of the run, between two points of the training curves")
    dataloader_num_workers: int | None = setting(None, help="processes that load audio (default by device)")
    remove_unused_columns: bool = setting(False, fixed=True)  # CtcCollator needs the columns
    report_to: list[str] = setting(["none"], help="where to log: none, trackio, tensorboard…")

    def __post_init__(self):
        self._check()
        self._choose_steps()
        self._choose_rates()
        self._choose_by_device()
        try:
            super().__post_init__()
        except (ValueError, ImportError) as error:
            raise U2UError(f"the settings do not go together: {error}") from error
        if (self.activation_checkpointing_kwargs or {}).get("use_reentrant"):
            # With frozen layers below, torch gives no gradients to those above; with WavLM it never ends (2.14).
            raise U2UError("--activation_checkpointing_kwargs: use_reentrant does not work here: leave it out")
        if self.fp16:
            self.mixed_precision = "no"  # of accelerate: `training.float16` does it
        # Without a launcher, Trainer would split each batch over all GPUs (DataParallel), which is slow and pads more:
        # use accelerate launch.
        if self.n_gpu > 1:
            self._n_gpu = 1

    def _check(self) -> None:
        # `given` is saved in train.yaml; the values that are chosen later are for this computer only.
        self.given = {field.name: getattr(self, field.name) for field in fields(self)}
        self.budget_seconds = seconds_of(self.time_budget) if self.time_budget else None
        self.part_of_run = 1.0  # that this training is; less for a stage, see `training.stages`
        self._require_effect()
        self._require_valid()

    def _require_effect(self) -> None:
        for field in fields(self):
            if field.name in _WITHOUT_EFFECT and getattr(self, field.name) != field.default:
                raise U2UError(f"--{field.name}: has no effect here: {_WITHOUT_EFFECT[field.name]}")

    def _require_valid(self) -> None:
        if self.budget_seconds:
            for name in ("warmup_steps", "eval_steps", "save_steps"):
                if (value := getattr(self, name)) >= 1:
                    raise U2UError(f"--{name} {value}: with --time_budget give a share of the run, below 1")
        if self.batch_seconds <= 0:
            raise U2UError(f"--batch_seconds {self.batch_seconds}: give seconds of audio, 75 for example")
        if not 0 <= self.speed_perturbation < 1:
            raise U2UError(f"--speed_perturbation {self.speed_perturbation}: give a share below 1, 0.1 for example")
        if not 0 <= self.joined < 1:
            raise U2UError(f"--joined {self.joined}: give a share of the examples, 0 or more and below 1")
        if unknown := sorted(set(self.untranscribed_for) - set(UNTRANSCRIBED_FOR)):
            raise U2UError(f"--untranscribed_for {unknown[0]}: give {' or '.join(UNTRANSCRIBED_FOR)}, or both")
        if self.untranscribed and self.max_steps <= 0 and self.num_train_epochs != 3.0:
            raise U2UError("--num_train_epochs: with --untranscribed give --max_steps or --time_budget, to be shared")
        if self.untranscribed_hours <= 0:
            raise U2UError(f"--untranscribed_hours {self.untranscribed_hours}: give hours of speech, 10 for example")
        if not 0 <= self.hold_encoder < 1:
            raise U2UError(f"--hold_encoder {self.hold_encoder}: give a share of the run, 0 or more and below 1")
        if self.push_to_hub:  # Trainer would create a public repo, and push every checkpoint
            raise U2UError("--push_to_hub: give --push_to OWNER/NAME in its place, which keeps the model private")

    def _choose_steps(self) -> None:
        epochs_given = self.num_train_epochs != 3.0  # transformers' default
        if self.max_steps <= 0 and not epochs_given:
            self.max_steps = _STEPS_OF_A_BUDGET if self.time_budget else _STEPS

    def _choose_rates(self) -> None:
        """Note the rates that were given; the others are tested at the beginning of the run."""
        self.given_rates = {name: getattr(self, name) for name in _RATES if getattr(self, name) is not None}
        for name, usual in _RATES.items():
            setattr(self, name, self.given_rates.get(name, usual))

    def _choose_by_device(self) -> None:
        # transformers ignores `accelerate launch --cpu`.
        self.use_cpu = self.use_cpu or parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.cuda.is_available()
        on_gpu = not self.use_cpu
        self.tries_memory = on_gpu  # elsewhere, the system ends a process that takes too much
        if self.bf16 is None and self.fp16 is None:
            self.bf16 = _bf16_on_gpu() if on_gpu else _bf16_on_cpu()
            self.fp16 = on_gpu and not self.bf16
        self.bf16, self.fp16 = bool(self.bf16), bool(self.fp16)
        if self.dataloader_num_workers is None:  # without a GPU, training itself needs all cores
            self.dataloader_num_workers = min(4, os.cpu_count() or 1) if on_gpu else 0
        self.dataloader_persistent_workers = self.dataloader_num_workers > 0
        if self.ddp_find_unused_parameters is None:  # a frozen encoder and skipped layers get no gradients
            self.ddp_find_unused_parameters = True

    def regularisation(self) -> Regularisation:
        """Return the regularisation after some passes over the speech; settings replace what is chosen."""
        return regularisation(vars(self))


def _bf16_on_gpu() -> bool:
    # Older GPUs emulate bfloat16, slowly.
    return torch.cuda.get_device_capability() >= (8, 0) and torch.cuda.is_bf16_supported()


def _bf16_on_cpu() -> bool:
    features = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16"))
