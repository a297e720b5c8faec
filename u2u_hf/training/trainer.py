"""Fine-tuning with CTC through transformers' Trainer."""

from __future__ import annotations

import contextlib
import functools
import re
import shutil
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from accelerate.data_loader import prepare_data_loader
from datasets import Dataset, DatasetDict
from safetensors import SafetensorError
from torch.utils.data import DataLoader
from tqdm.auto import tqdm
from transformers import HubertForCTC, ProgressCallback, SchedulerType, Trainer, Wav2Vec2Processor, set_seed
from transformers.loss.loss_ctc import ForCTCLoss
from transformers.trainer_utils import seed_worker

from u2u_hf import model_folder
from u2u_hf.data.batching import DurationBatches
from u2u_hf.data.collator import CtcCollator
from u2u_hf.data.dataset import require_split
from u2u_hf.data.processes import processes
from u2u_hf.evaluation.metrics import trainer_metrics
from u2u_hf.frames import SAMPLING_RATE, STRIDE, frame_count, frames_needed
from u2u_hf.recognition.model import labels_of, save_processor, start_from
from u2u_hf.records import U2UError
from u2u_hf.training.arguments import CtcTrainingArguments, Regularisation
from u2u_hf.training.progress import Progress, ProgressBar


class CtcTrainer(Trainer):
    """A Trainer for CTC on little data.

    Batches are measured in seconds (`u2u_hf.data.batching`). The loss is that of a character: of all in a step, over
    all its batches and processes, so that how a step is divided does not change what is learned. The head has a
    learning rate of its own, and the encoder is held at first. Evaluation is on label indices, blank where a
    shorter utterance was padded.
    """

    args: CtcTrainingArguments
    loss_is_scaled_for_ga = True  # by the number of characters in the whole step

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.progress = Progress(self.args.budget_seconds)
        self.remove_callback(ProgressCallback)
        self.add_callback(self.progress)
        if not self.args.disable_tqdm:
            self.add_callback(ProgressBar(self.progress))
        self._frames, self._since = torch.zeros((), dtype=torch.int64, device=self.args.device), time.perf_counter()
        self._lost = 0
        encoder = self.model.hubert
        encoder.forward = self._held(encoder.forward)

    def train(self, *arguments, **settings):
        try:
            return super().train(*arguments, **settings)
        except U2UError as error:  # from a process that reads audio it comes with all of that process's traceback
            raise U2UError(str(error).rstrip().split("U2UError: ")[-1]) from error
        except torch.OutOfMemoryError as error:
            raise U2UError(
                "the GPU's memory is too small: go on with --resume and a lower --batch_seconds, 40 for example, "
                "--per_device_eval_batch_size 1, or --gradient_checkpointing true"
            ) from error

    def get_train_dataloader(self) -> DataLoader:
        batches = DurationBatches(
            self.train_dataset["duration"],
            self.args.batch_seconds,
            self.args.world_size * self.args.gradient_accumulation_steps,
            self.args.world_size,
            self.args.process_index,
            self.args.seed,
        )
        loader = DataLoader(
            self.train_dataset,
            batch_sampler=batches,
            collate_fn=CtcCollator(self.processing_class, self.args.augmentation),
            num_workers=self.args.dataloader_num_workers,
            persistent_workers=self.args.dataloader_persistent_workers,
            pin_memory=self.args.dataloader_pin_memory and self.args.device.type == "cuda",
            worker_init_fn=functools.partial(
                seed_worker, num_workers=self.args.dataloader_num_workers, rank=self.args.process_index
            ),
        )
        # As if for one process: the batches are this process's own already.
        return prepare_data_loader(loader, self.args.device, 1, 0, put_on_device=True, non_blocking=True)

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
            if not hasattr(scheduler, "lr_lambdas"):
                kind = self.args.lr_scheduler_type.value
                raise U2UError(f"--lr_scheduler_type {kind}: give one whose course is known before, such as linear")
            held = round(self.args.hold_encoder * num_training_steps)
            rise = max(1, self.args.get_warmup_steps(num_training_steps))
            for index, group in enumerate(scheduler.optimizer.param_groups):
                factor = scheduler.lr_lambdas[index]
                if not group["head"]:
                    factor = _held_factor(factor, held, rise)
                    group["lr"] *= not held  # of step 0, which is set already
                scheduler.lr_lambdas[index] = lambda step, factor=factor: factor(self.progress.at(step))
        return self.lr_scheduler

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels, frames = inputs["labels"], inputs["frames"]
        outputs = model(**{key: value for key, value in inputs.items() if key not in ("labels", "frames")})
        blank = self.model.config.pad_token_id
        loss = ForCTCLoss(outputs.logits, labels, frames, blank, reduction="sum", zero_infinity=True)
        if self.model.training and num_items_in_batch is not None:
            # Of the whole step; the processes' gradients are averaged, and ought to be summed.
            loss = loss / num_items_in_batch * self.args.world_size
        else:
            loss = loss / (labels >= 0).sum()
        return (loss, outputs) if return_outputs else loss

    def training_step(self, model, inputs, num_items_in_batch=None):
        self._frames += inputs["frames"].sum()
        loss = super().training_step(model, inputs, num_items_in_batch)
        # In 16 bits a single one may be out of range; the optimizer leaves that step out.
        self._lost = 0 if torch.isfinite(loss) else self._lost + 1
        if self._lost == 10:
            raise U2UError(
                f"step {self.state.global_step}: the loss is not a number any more: go on from the last checkpoint "
                "with --resume and a lower --learning_rate and --head_learning_rate"
            )
        return loss

    def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, outputs = self.compute_loss(model, inputs, return_outputs=True)
        indices = outputs.logits.argmax(-1)
        padding = torch.arange(indices.shape[1], device=indices.device) >= inputs["frames"][:, None]
        return loss.detach(), indices.masked_fill(padding, self.model.config.pad_token_id), inputs["labels"]

    def _get_learning_rate(self) -> float:
        self._head_learning_rate = self.lr_scheduler.get_last_lr()[-1]
        return super()._get_learning_rate()

    def log(self, logs: dict[str, float], *arguments) -> None:
        if "loss" in logs:
            seconds = float(self._frames) * STRIDE / SAMPLING_RATE * self.args.world_size
            logs["audio_seconds_per_second"] = round(seconds / (time.perf_counter() - self._since), 2)
            self._frames.zero_()
            logs["head_learning_rate"] = self._head_learning_rate  # "learning_rate" is the encoder's
        super().log(logs, *arguments)
        self._since = time.perf_counter()

    def scores(self) -> dict[str, float]:
        """Of the validation split and the model as training left it, see `evaluation.metrics.scores_with_intervals`."""
        loaded = self.args.load_best_model_at_end and self.state.best_model_checkpoint
        kept = self.state.best_global_step if loaded else self.state.global_step
        measured = [row for row in self.state.log_history if row["step"] == kept and "eval_cer" in row]
        row = measured[-1] if measured else self.evaluate()
        return {name[5:]: row[name] for name in row if name.startswith(("eval_wer", "eval_cer"))}

    def _maybe_log_save_evaluate(self, *arguments, **settings):
        pauses, begun = self.control.should_evaluate or self.control.should_save, time.perf_counter()
        super()._maybe_log_save_evaluate(*arguments, **settings)
        if pauses:
            self.progress.pause = max(self.progress.pause, time.perf_counter() - begun)

    def _save_checkpoint(self, model, trial):
        folder = Path(self.args.output_dir, f"checkpoint-{self.state.global_step}")
        with _written(folder, "run the same command again with --resume: it goes on from the last checkpoint"):
            super()._save_checkpoint(model, trial)

    def _held(self, forward: Callable) -> Callable:
        """An encoder that computes no gradients as long as only the head learns."""

        @functools.wraps(forward)
        def run(*arguments, **settings):
            step = self.progress.at(self.state.global_step)
            held = self.model.training and step < round(self.args.hold_encoder * self.progress.total)
            with torch.set_grad_enabled(torch.is_grad_enabled() and not held):
                return forward(*arguments, **settings)

        return run


def _held_factor(factor: Callable[[int], float], held: int, rise: int) -> Callable[[int], float]:
    """A schedule that is 0 for `held` steps and rises to `factor` over the next `rise`."""
    return lambda step: factor(step) * min(1.0, max(0, step - held) / rise) if held else factor(step)


@contextlib.contextmanager
def _written(folder: Path, advice: str) -> Iterator[None]:
    """What cannot be written (a full disk, mostly) is one line, and no half of it stays."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        if not isinstance(error, OSError) and not re.search("writ|space|disk|size|I/O", str(error)):
            raise
        shutil.rmtree(folder, ignore_errors=True)
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise U2UError(f"{folder}: cannot be written ({reason}): make room, then {advice}") from error


def infeasible(dataset: Dataset) -> list[int]:
    """Rows whose text has more labels than their audio has frames: CTC cannot learn from them."""
    return [
        index
        for index, (text, duration) in enumerate(zip(dataset["text"], dataset["duration"], strict=True))
        if frame_count(round(duration * SAMPLING_RATE)) < frames_needed(text)
    ]


def build_trainer(
    model_source: str, splits: DatasetDict, source: str, args: CtcTrainingArguments
) -> tuple[CtcTrainer, Wav2Vec2Processor]:
    """A trainer for a prepared dataset, starting from a pre-trained model.

    Args:
        model_source: folder or Hub name of a HuBERT model.
        source: the dataset's name, for messages.

    Raises:
        U2UError: an empty split, or a model that is not there.
    """
    train, validation = (require_split(splits, name, source) for name in ("train", "validation"))
    say = tqdm.write if processes().is_main_process else lambda line: None
    if left_out := set(infeasible(train)):
        say(f"! {len(left_out)} training utterances have more characters than frames and are left out")
        train = train.select([i for i in range(len(train)) if i not in left_out])
    if not len(train):
        raise U2UError(f"{source}: no training utterance is long enough for its text: are times and texts right?")
    known = set().union(" ", *train["text"])
    if unseen := Counter(c for text in validation["text"] for c in text if c not in known):
        counts = ", ".join(f"{c} ({n}×)" for c, n in unseen.most_common(10))
        say(f"! validation has characters that training never shows, each counts as an error: {counts}")
    hours = sum(train["duration"]) / 3600
    regularisation = args.regularisation(hours)
    say(f"{hours:.2f} hours of training speech: {_in_words(regularisation)}")
    set_seed(args.seed)  # of the head, too
    model, processor = start_from(model_source, train["text"], regularisation.config())
    # A character that has no label is seen in scores, though not in transcripts.
    labels = labels_of(processor.tokenizer)
    labels = replace(labels, symbols=tuple(symbol or "\ufffd" for symbol in labels.symbols))
    trainer = CtcTrainer(
        model=model,
        args=args,
        data_collator=CtcCollator(processor),
        train_dataset=train,
        eval_dataset=validation.select(np.argsort(validation["duration"])),  # so that batches pad little
        processing_class=processor,
        compute_metrics=trainer_metrics(labels, _show_pairs if processes().is_main_process else None),
    )
    return trainer, processor


def _in_words(chosen: Regularisation) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in vars(chosen).items())


def _show_pairs(hypotheses: Sequence[str], references: Sequence[str], count: int = 3) -> None:
    """A few reference/hypothesis pairs, evenly spread; and in words when nothing at all is heard yet."""
    if not any(hypotheses):
        tqdm.write("the model writes nothing yet (only blanks): usual in the first steps; if it lasts, see README")
        return
    for index in np.linspace(0, len(references) - 1, min(count, len(references))).astype(int):
        tqdm.write(f"  said   {references[index]}\n  heard  {hypotheses[index]}")


def save_trained(trainer: CtcTrainer, processor: Wav2Vec2Processor, output_dir: Path) -> None:
    """Write model and processor, on one process only, as `transformers.pipeline` loads them.

    What was made of an earlier model there, its export and its language model, is removed: it would answer in the
    new one's place.

    Raises:
        U2UError: the disk is full.
    """
    if trainer.is_world_process_zero():
        model: HubertForCTC = trainer.accelerator.unwrap_model(trainer.model)
        with _written(output_dir / "model.safetensors", "run the same command again with --resume"):
            for name in model_folder.MADE_OF_MODEL:
                if (output_dir / name).is_dir():
                    tqdm.write(f"! {output_dir / name}: is of the model that was here before, and is removed")
                    model_folder.remove(output_dir, name)
            model.save_pretrained(output_dir)
            save_processor(processor, output_dir)
