"""How a recogniser is trained: transformers' TrainingArguments, with defaults for a few hours of speech."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, fields

import torch
from accelerate.utils import parse_flag_from_env
from transformers import TrainingArguments

from u2u_hf.data.collator import Augmentation
from u2u_hf.records import U2UError
from u2u_hf.settings import setting

_STEPS = 3000
# Steps of a run that only a time budget ends: shares of it are shares of the time.
_STEPS_OF_A_BUDGET = 1_000_000
_UNIT_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}


def seconds_of(duration: str) -> float:
    """``2h30m`` → 9000; units d, h, m, s.

    Raises:
        U2UError: it cannot be read, or is nothing.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([dhms])", duration)
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    if not seconds or re.sub(r"(\d+(?:\.\d+)?)\s*([dhms])\s*", "", duration).strip():
        raise U2UError(f"--time_budget {duration}: write it as 2h30m, 45m or 90s")
    return seconds


@dataclass(frozen=True)
class Regularisation:
    """What keeps a model from learning its training data by heart: shares, 0 to 1.

    Attributes:
        mask_time: of frames, and `mask_feature` of feature channels, masked (SpecAugment, Park et al. 2019).
        dropout: of activations, in the encoder and before the head.
        layerdrop: of encoder layers, skipped (Fan et al. 2020).
    """

    mask_time: float
    mask_feature: float
    dropout: float
    layerdrop: float

    def config(self) -> dict[str, float | int | bool]:
        """As settings of a HubertConfig."""
        return {
            "apply_spec_augment": bool(self.mask_time or self.mask_feature),
            "mask_time_prob": self.mask_time,
            "mask_time_min_masks": 0,
            "mask_feature_prob": self.mask_feature,
            "hidden_dropout": self.dropout,
            "activation_dropout": self.dropout,
            "attention_dropout": self.dropout,
            "final_dropout": self.dropout,
            "layerdrop": self.layerdrop,
        }


# Up to so many hours of training speech. Between what transformers sets for any amount (0.05 of the frames) and
# fairseq's fine-tuning of wav2vec 2.0 on 10 minutes to 10 hours (0.65, over many more steps).
_BY_HOURS = (
    (1, Regularisation(mask_time=0.3, mask_feature=0.1, dropout=0.1, layerdrop=0.1)),
    (10, Regularisation(mask_time=0.15, mask_feature=0.05, dropout=0.1, layerdrop=0.05)),
    (float("inf"), Regularisation(mask_time=0.05, mask_feature=0.0, dropout=0.05, layerdrop=0.05)),
)


@dataclass
class CtcTrainingArguments(TrainingArguments):
    """transformers' TrainingArguments, with defaults for fine-tuning on a few hours, and what CTC needs besides.

    The head starts from nothing and the encoder knows a lot: the head's learning rate is higher, and the
    encoder is held while the head warms up.

    Raises:
        U2UError: settings that do not go together.
    """

    output_dir: str = setting(help="folder for the model and its checkpoints")
    batch_seconds: float = setting(75.0, help="seconds of audio a step and device, padding included")
    max_steps: int = setting(-1, help=f"steps in all ({_STEPS}, or as many as the time budget allows)")
    time_budget: str = setting("", help="end within this time, everything included: 2h30m")
    resume: bool = setting(False, help="go on from the last checkpoint in output_dir, or on the Hub, if there is one")
    learning_rate: float = setting(5e-5, help="highest learning rate of the pre-trained encoder")
    head_learning_rate: float = setting(1e-3, help="highest learning rate of the new head")
    hold_encoder: float = setting(0.15, help="share of the run in which only the head learns, 0 to 1")
    warmup_steps: float = setting(0.1, help="steps, or share of the run, until the highest learning rate")
    lr_scheduler_type: str = setting("warmup_stable_decay", help="rise, hold, and fall over the last half")
    mask_time: float | None = setting(None, help="share of frames masked in training (chosen from the hours)")
    mask_feature: float | None = setting(None, help="share of feature channels masked (chosen from the hours)")
    dropout: float | None = setting(None, help="share of activations dropped (chosen from the hours)")
    layerdrop: float | None = setting(None, help="share of layers skipped (chosen from the hours)")
    speed_perturbation: float = setting(0.0, help="also hear utterances this share faster and slower: 0.1")
    noise_snr_db: float | None = setting(None, help="add noise, at least so many dB below the speech: 10")
    bf16: bool | None = setting(None, help="16-bit numbers, on devices that know bfloat16 (chosen by the device)")
    fp16: bool | None = setting(None, help="16-bit numbers, on older GPUs (chosen by the device)")
    eval_strategy: str = setting("steps", help="when the validation split is scored")
    eval_steps: float = setting(0.1, help="steps, or share of the run, between two scorings")
    save_steps: float = setting(0.1, help="steps, or share of the run, between two checkpoints")
    save_total_limit: int = setting(2, help="checkpoints kept")
    load_best_model_at_end: bool = setting(True, help="end with the best checkpoint, not the last")
    metric_for_best_model: str = setting("cer", help="what is best: cer, wer or loss")
    greater_is_better: bool = setting(False, help="lower error rates are better")
    logging_steps: float = setting(20, help="steps, or share of the run, between two points of the curves")
    dataloader_num_workers: int | None = setting(None, help="processes that read audio (chosen by the device)")
    remove_unused_columns: bool = setting(False, help="our collator needs the columns")
    report_to: list[str] = setting(["none"], help="where curves go: none, trackio, tensorboard…")

    def __post_init__(self):
        # Below and in transformers some are chosen for this computer; settings are saved for others too.
        self.given = {field.name: getattr(self, field.name) for field in fields(self)}
        self.budget_seconds = seconds_of(self.time_budget) if self.time_budget else None
        if self.max_steps <= 0 and self.num_train_epochs == 3.0:  # transformers' default: nobody asked for epochs
            self.max_steps = _STEPS_OF_A_BUDGET if self.time_budget else _STEPS
        if self.budget_seconds:
            for name in ("warmup_steps", "eval_steps", "save_steps"):
                if getattr(self, name) >= 1:
                    raise U2UError(
                        f"--{name} {getattr(self, name)}: with --time_budget give a share of the run, below 1"
                    )
        if self.batch_seconds <= 0:
            raise U2UError(f"--batch_seconds {self.batch_seconds}: give seconds of audio, 75 for example")
        if not 0 <= self.speed_perturbation < 1:
            raise U2UError(f"--speed_perturbation {self.speed_perturbation}: give a share below 1, 0.1 for example")
        if not 0 <= self.hold_encoder < 1:
            raise U2UError(f"--hold_encoder {self.hold_encoder}: give a share of the run, 0 or more and below 1")
        if self.push_to_hub:  # Trainer would make a public repo, and push the checkpoints too
            raise U2UError("--push_to_hub: give --push_to OWNER/NAME in its place, which keeps the model private")
        # What `accelerate launch --cpu` says, transformers does not hear.
        self.use_cpu = self.use_cpu or parse_flag_from_env("ACCELERATE_USE_CPU")
        on_gpu = torch.cuda.is_available() and not self.use_cpu
        if self.bf16 is None and self.fp16 is None:
            self.bf16 = _bf16_on_gpu() if on_gpu else _bf16_on_cpu()
            self.fp16 = on_gpu and not self.bf16
        self.bf16, self.fp16 = bool(self.bf16), bool(self.fp16)
        if self.dataloader_num_workers is None:  # on processors alone, training needs them all
            self.dataloader_num_workers = min(4, os.cpu_count() or 1) if on_gpu else 0
        self.dataloader_persistent_workers = self.dataloader_num_workers > 0
        self.use_cpu = self.use_cpu or not torch.cuda.is_available()
        if self.ddp_find_unused_parameters is None:  # while the encoder is held, and of layers that are skipped
            self.ddp_find_unused_parameters = True
        try:
            super().__post_init__()
        except (ValueError, ImportError) as error:
            raise U2UError(f"the settings do not go together: {error}") from error
        # Without a launcher, Trainer would split each batch over all GPUs of the computer, which is slow and
        # pads more: accelerate launch uses them well.
        if self.n_gpu > 1:
            self._n_gpu = 1

    def regularisation(self, hours: float) -> Regularisation:
        """As set, and where nothing is set, for so many hours of training speech."""
        chosen = next(row for limit, row in _BY_HOURS if hours < limit)
        set_here = {name: getattr(self, name) for name in vars(chosen)}
        return Regularisation(**vars(chosen) | {name: value for name, value in set_here.items() if value is not None})

    @property
    def augmentation(self) -> Augmentation | None:
        """What is done to training audio, or None."""
        asked = self.speed_perturbation or self.noise_snr_db is not None
        return Augmentation(self.speed_perturbation, self.noise_snr_db) if asked else None


def _bf16_on_gpu() -> bool:
    # Older ones only emulate it.
    return torch.cuda.get_device_capability() >= (8, 0) and torch.cuda.is_bf16_supported()


def _bf16_on_cpu() -> bool:
    features = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(features.get("avx512_bf16") or features.get("amx_bf16"))
