"""Fine-tuning with CTC through transformers' Trainer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset, DatasetDict
from tqdm.auto import tqdm
from transformers import HubertForCTC, SchedulerType, Trainer, TrainingArguments, Wav2Vec2Processor

from u2u_hf.audio import decode_mono
from u2u_hf.config import setting
from u2u_hf.dataset import require_split
from u2u_hf.frames import frame_count, frames_needed
from u2u_hf.metrics import trainer_metrics
from u2u_hf.model import labels_of, start_from
from u2u_hf.records import U2UError


@dataclass
class CtcCollator:
    """Rows of a prepared dataset → one padded batch.

    Returns ``input_values`` float32 [B, N], ``labels`` int64 [B, L] padded with -100, ``frames`` int64 [B]
    (frames that hold audio), and ``attention_mask`` [B, N] where the model was pre-trained with one.
    """

    processor: Wav2Vec2Processor

    def __call__(self, rows: Sequence[dict]) -> dict[str, torch.Tensor]:
        signals = [decode_mono(row["audio"]["bytes"], row["audio"]["path"] or "audio") for row in rows]
        batch = dict(self.processor(audio=signals, sampling_rate=16_000, padding=True, return_tensors="pt"))
        labels = [torch.tensor(self.processor.tokenizer(row["text"]).input_ids) for row in rows]
        batch["labels"] = torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-100)
        batch["frames"] = torch.tensor([frame_count(len(signal)) for signal in signals])
        return batch


@dataclass
class CtcTrainingArguments(TrainingArguments):
    """transformers' TrainingArguments, with defaults for fine-tuning on a few hours, and what CTC needs besides.

    The head starts from nothing and the encoder knows a lot: the head's learning rate is higher, and the
    encoder is held while the head warms up.
    """

    output_dir: str = setting(help="folder for the model and its checkpoints")
    per_device_train_batch_size: int = setting(8, help="utterances a step and device")
    max_steps: int = setting(3000, help="steps in all")
    learning_rate: float = setting(5e-5, help="highest learning rate of the pre-trained encoder")
    head_learning_rate: float = setting(1e-3, help="highest learning rate of the new head")
    hold_encoder: float = setting(0.15, help="share of all steps in which only the head learns, 0 to 1")
    warmup_steps: float = setting(0.1, help="steps, or share of all steps, until the highest learning rate")
    lr_scheduler_type: str = setting("warmup_stable_decay", help="rise, hold, and fall over the last half")
    eval_strategy: str = setting("steps", help="when the validation split is scored")
    eval_steps: float = setting(0.1, help="steps, or share of all steps, between two scorings")
    save_steps: float = setting(0.1, help="steps, or share of all steps, between two checkpoints")
    save_total_limit: int = setting(2, help="checkpoints kept")
    load_best_model_at_end: bool = setting(True, help="end with the best checkpoint, not the last")
    metric_for_best_model: str = setting("cer", help="what is best: cer, wer or loss")
    greater_is_better: bool = setting(False, help="lower error rates are better")
    train_sampling_strategy: str = setting("group_by_length", help="batches of near-equal durations")
    length_column_name: str = setting("duration", help="column with the durations")
    remove_unused_columns: bool = setting(False, help="our collator needs the columns")
    report_to: list[str] = setting(["none"], help="where curves go: none, trackio, tensorboard…")


class CtcTrainer(Trainer):
    """A Trainer with a learning rate of its own for the head, and an encoder that is held at first.

    It evaluates on label indices, blank where a shorter utterance was padded.
    """

    args: CtcTrainingArguments

    def create_optimizer(self, model=None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            model = model or self.model
            decaying = set(self.get_decay_parameter_names(model))
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args, model)
            groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = defaultdict(list)
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    groups["lm_head" in name, name in decaying].append(parameter)
            self.optimizer = kind(
                [
                    {
                        "params": parameters,
                        "lr": self.args.head_learning_rate if head else self.args.learning_rate,
                        "weight_decay": self.args.weight_decay if decays else 0.0,
                        "head": head,
                    }
                    for (head, decays), parameters in sorted(groups.items())
                ],
                **settings,
            )
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer=None):
        if self.lr_scheduler is None:
            if self.args.lr_scheduler_type == SchedulerType.WARMUP_STABLE_DECAY and not self.args.lr_scheduler_kwargs:
                self.args.lr_scheduler_kwargs = {"num_decay_steps": num_training_steps // 2}
            scheduler = super().create_scheduler(num_training_steps, optimizer)
            held = round(self.args.hold_encoder * num_training_steps)
            rise = max(1, self.args.get_warmup_steps(num_training_steps))
            for index, group in enumerate(scheduler.optimizer.param_groups):
                if not group["head"]:
                    scheduler.lr_lambdas[index] = _held(scheduler.lr_lambdas[index], held, rise)
                    group["lr"] *= not held  # of step 0, which is set already
        return self.lr_scheduler

    def compute_loss(self, model, inputs, *args, **kwargs):
        inputs = {key: value for key, value in inputs.items() if key != "frames"}
        return super().compute_loss(model, inputs, *args, **kwargs)

    def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):
        loss, logits, labels = super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        if logits is None:
            return loss, logits, labels
        indices = logits.argmax(-1)
        padding = torch.arange(indices.shape[1], device=indices.device) >= inputs["frames"].to(indices.device)[:, None]
        return loss, indices.masked_fill(padding, self.model.config.pad_token_id), labels


def _held(factor: Callable[[int], float], held: int, rise: int) -> Callable[[int], float]:
    """A schedule that is 0 for `held` steps and rises to `factor` over the next `rise`."""
    return lambda step: factor(step) * min(1.0, max(0, step - held) / rise) if held else factor(step)


def infeasible(dataset: Dataset) -> list[int]:
    """Rows whose text has more labels than their audio has frames: CTC cannot learn from them."""
    return [
        index
        for index, (text, duration) in enumerate(zip(dataset["text"], dataset["duration"], strict=True))
        if frame_count(round(duration * 16_000)) < frames_needed(text)
    ]


def build_trainer(
    model_source: str, splits: DatasetDict, source: str, args: CtcTrainingArguments
) -> tuple[CtcTrainer, Wav2Vec2Processor]:
    """A trainer for a prepared dataset, starting from a pre-trained model.

    Args:
        model_source: folder or Hub name of a HuBERT model.
        source: the dataset's name, for messages.

    Raises:
        U2UError: an empty split, a model that is not there, or `args.push_to_hub`.
    """
    if args.push_to_hub:  # Trainer would make a public repo, and push the checkpoints too
        raise U2UError("--push_to_hub: give --push_to OWNER/NAME in its place, which keeps the model private")
    train, validation = (require_split(splits, name, source) for name in ("train", "validation"))
    if left_out := set(infeasible(train)):
        tqdm.write(f"! {len(left_out)} training utterances have more characters than frames and are left out")
        train = train.select([i for i in range(len(train)) if i not in left_out])
    model, processor = start_from(model_source, train["text"])
    labels = labels_of(processor.tokenizer)
    trainer = CtcTrainer(
        model=model,
        args=args,
        data_collator=CtcCollator(processor),
        train_dataset=train,
        eval_dataset=validation,
        processing_class=processor,
        compute_metrics=trainer_metrics(labels, _show_pairs),
    )
    return trainer, processor


def _show_pairs(hypotheses: Sequence[str], references: Sequence[str], count: int = 3) -> None:
    """A few reference/hypothesis pairs, evenly spread; and in words when nothing at all is heard yet."""
    if not any(hypotheses):
        tqdm.write("the model writes nothing yet (only blanks): usual in the first steps; if it lasts, see README")
        return
    for index in np.linspace(0, len(references) - 1, min(count, len(references))).astype(int):
        tqdm.write(f"  said   {references[index]}\n  heard  {hypotheses[index]}")


def save_trained(trainer: CtcTrainer, processor: Wav2Vec2Processor, output_dir: Path) -> None:
    """Write model and processor, on one process only, as `transformers.pipeline` loads them."""
    if trainer.is_world_process_zero():
        model: HubertForCTC = trainer.accelerator.unwrap_model(trainer.model)
        model.save_pretrained(output_dir)
        processor.save_pretrained(output_dir)
