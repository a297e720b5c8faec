"""A Trainer of transformers for CTC on little data."""

from __future__ import annotations

import contextlib
import functools
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import torch
from accelerate.data_loader import prepare_data_loader
from torch.utils.data import DataLoader
from transformers import ProgressCallback, SchedulerType, Trainer, set_seed
from transformers.loss.loss_ctc import ForCTCLoss
from transformers.trainer_utils import seed_worker

from u2u_hf.data import augmentation
from u2u_hf.data.batching import DurationBatches
from u2u_hf.data.collator import CtcCollator
from u2u_hf.data.neighbours import Examples, neighbours
from u2u_hf.evaluation.metrics import MAIN, METRICS, score_keys
from u2u_hf.frames import SAMPLING_RATE, STRIDE
from u2u_hf.memory import memory_problem
from u2u_hf.progress_bar import write_line
from u2u_hf.recognition.families.registry import family_of
from u2u_hf.records import U2UError
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.averaging import Average
from u2u_hf.training.float16 import Float16, Float16Failed
from u2u_hf.training.memory_trial import divided, parts_that_fit, too_small
from u2u_hf.training.progress import Progress, ProgressBar
from u2u_hf.training.rate_test import find_rates
from u2u_hf.training.regularisation import GrowingRegularisation
from u2u_hf.training.saving import written

# It only goes forward: with its metrics it takes about half of the time of learning from as much audio.
_OF_TRAINING = 0.5
_ENDED = "ended_at_budget"  # key in the log history: the time budget that a run has used up


class CtcTrainer(Trainer):
    """A Trainer for CTC on little data.

    Batches are measured in seconds (`u2u_hf.data.batching`). The loss is the mean over the characters of a whole step,
    over all its batches and processes: how a step is divided does not change what is learned. The head has its own
    learning rate, and the encoder is frozen at first. Evaluation is on label indices, with blanks in the padding.
    """

    args: CtcTrainingArguments
    loss_is_scaled_for_ga = True  # compute_loss divides by the characters of the whole step

    def __init__(self, *arguments, **settings):
        super().__init__(*arguments, **settings)
        self.progress = Progress(self.args.budget_seconds)
        if self.eval_dataset is not None and self.args.eval_strategy != "no":
            self.progress.evaluation_steps = self._evaluation_steps()
        self.remove_callback(ProgressCallback)
        self.add_callback(self.progress)
        if not self.args.disable_tqdm:
            self.add_callback(ProgressBar(self.progress))
        joined = neighbours(self.train_dataset, self.args.joined, self.args.batch_seconds, self.args.seed)
        self.examples = Examples(self.train_dataset, joined)
        self._frames, self._since = torch.zeros((), dtype=torch.int64, device=self.args.device), time.perf_counter()
        self._lost = 0
        self.parts = 1  # that each batch is computed in
        # Joined neighbours are heard again.
        passes = sum(self.examples.durations) / max(1e-9, sum(self.train_dataset["duration"]))
        self.regularisation = GrowingRegularisation(self.model, vars(self.args), lambda epochs: epochs * passes)
        self.add_callback(self.regularisation)
        self._average = Average(self.model, self.progress)
        self.averaged = False  # whether the run has ended with the average of its weights
        self._float16 = Float16(self) if self.args.fp16 else None
        if self._float16:
            self.add_callback(self._float16)
        # Not where no process has all weights, and not where nothing says whether it is better.
        sharded = self.is_fsdp_enabled or self.is_deepspeed_enabled
        self.averages = not sharded and self.eval_dataset is not None and self.args.eval_strategy != "no"
        if self.averages:
            self.add_callback(self._average)
        encoder = self.model.base_model
        encoder.forward = self._frozen_at_first(encoder.forward)

    def _evaluation_steps(self) -> float:
        """Return the training steps that an evaluation takes about as long as."""
        args = self.args
        a_step = args.batch_seconds * args.gradient_accumulation_steps * args.world_size
        return _OF_TRAINING * sum(self.eval_dataset["duration"]) / a_step

    def train(self, resume_from_checkpoint: str | Path | None = None, *arguments, **settings):
        checkpoint = Path(resume_from_checkpoint) if resume_from_checkpoint else None
        try:
            output = self._trained(checkpoint, *arguments, **settings)
            if self._average and not self.progress.interrupted:
                self._keep_better()
            return output
        except U2UError as error:  # from a data loader's process its text ends with that process's traceback
            raise U2UError(str(error).rstrip().split("U2UError: ")[-1]) from error
        except Exception as error:  # for lack of memory libraries raise many classes
            if not memory_problem(error):
                raise
            raise U2UError(too_small(error)) from error

    def _trained(self, checkpoint: Path | None, *arguments, **settings):
        if self._float16:
            self._float16.begin(checkpoint)
        self._average.load(checkpoint)
        try:
            return super().train(checkpoint and str(checkpoint), *arguments, **settings)
        except Float16Failed as failure:
            checkpoint = self._float16.go_back(failure)
            if self.is_world_process_zero():
                place = f"from step {checkpoint.name[11:]}" if checkpoint else "from the start"
                write_line(f"! float16 overflows ({failure.skipped} steps were skipped): on in float32, {place}")
            if checkpoint is None:
                set_seed(self.args.seed)
        self._average.load(checkpoint)
        return super().train(checkpoint and str(checkpoint), *arguments, **settings)

    def get_train_dataloader(self) -> DataLoader:
        loader = DataLoader(
            self.examples,
            batch_sampler=self._batches(),
            collate_fn=CtcCollator(self.processing_class, augmentation.chosen(self.args)),
            num_workers=self.args.dataloader_num_workers,
            persistent_workers=self.args.dataloader_persistent_workers,
            pin_memory=self.args.dataloader_pin_memory and self.args.device.type == "cuda",
            worker_init_fn=functools.partial(
                seed_worker, num_workers=self.args.dataloader_num_workers, rank=self.args.process_index
            ),
        )
        # For 1 process: DurationBatches gives each process its own batches already.
        return prepare_data_loader(loader, self.args.device, 1, 0, put_on_device=True, non_blocking=True)

    def _batches(self) -> DurationBatches:
        args, per_step = self.args, self.args.world_size * self.args.gradient_accumulation_steps
        division = args.world_size, args.process_index
        return DurationBatches(self.examples.durations, args.batch_seconds, per_step, *division, args.seed)

    def _prepare_for_training(self, max_steps: int, loader: DataLoader, checkpoint: str | None):
        # Before DistributedDataParallel wraps the model: it notes what is computed.
        if self.args.tries_memory:
            self.parts = parts_that_fit(self, self._batches())
        if checkpoint is None:  # else the optimizer's state has the rates
            self._test_rates(max_steps)
        return super()._prepare_for_training(max_steps, loader, checkpoint)

    def _test_rates(self, max_steps: int) -> None:
        given, args = self.args.given_rates, self.args
        if len(given) == 2 or self.is_fsdp_enabled or self.is_deepspeed_enabled:
            return
        rates = find_rates(self, max_steps, given)
        if rates:
            args.learning_rate, args.head_learning_rate = rates.encoder, rates.head
        if self.is_world_process_zero():
            how = "by a test" if rates else "the usual one of mHuBERT-147, because the run is too short to test it"
            for name, what in (("learning_rate", "learning rate"), ("head_learning_rate", "learning rate of the head")):
                if name not in given:
                    write_line(f"{what} {getattr(args, name):.1e}: {how}")

    @property
    def rates(self) -> dict[str, float]:
        """Return the peak learning rates of the run, which has begun or been resumed, by the names of the settings."""
        groups, peaks = self.optimizer.param_groups, self.lr_scheduler.base_lrs
        by_part = {group["head"]: peak for group, peak in zip(groups, peaks, strict=True)}
        return {"learning_rate": by_part.get(False, 0.0), "head_learning_rate": by_part.get(True, 0.0)}

    def create_optimizer(self, model=None) -> torch.optim.Optimizer:
        if self.optimizer is None:
            model = model or self.model
            decaying = set(self.get_decay_parameter_names(model))
            head = f"{family_of(self.model).head}."
            kind, settings = self.get_optimizer_cls_and_kwargs(self.args, model)
            groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = defaultdict(list)
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    groups[head in name, name in decaying].append(parameter)
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
                raise U2UError(f"--lr_scheduler_type {kind}: give one that is fixed in advance, such as linear")
            frozen = round(self.args.hold_encoder * num_training_steps)
            rise = max(1, self.args.get_warmup_steps(num_training_steps))
            for index, group in enumerate(scheduler.optimizer.param_groups):
                factor = scheduler.lr_lambdas[index]
                if not group["head"]:
                    factor = _frozen_factor(factor, frozen, rise)
                    group["lr"] *= not frozen  # the rate of step 0 has been set already
                scheduler.lr_lambdas[index] = lambda step, factor=factor: factor(self.progress.at(step))
        return self.lr_scheduler

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels, frames = inputs["labels"], inputs["frames"]
        with self._autocast():
            outputs = model(**{key: value for key, value in inputs.items() if key not in ("labels", "frames")})
        blank = self.model.config.pad_token_id
        loss = ForCTCLoss(outputs.logits, labels, frames, blank, reduction="sum", zero_infinity=True)
        if self.model.training and num_items_in_batch is not None:
            # num_items_in_batch counts the whole step; times world_size, because gradients are averaged over processes.
            loss = loss / num_items_in_batch * self.args.world_size
        else:
            loss = loss / (labels >= 0).sum()
        return (loss, outputs) if return_outputs else loss

    def _autocast(self) -> contextlib.AbstractContextManager:
        return self._float16.autocast() if self._float16 else contextlib.nullcontext()

    def training_step(self, model, inputs, num_items_in_batch=None):
        self._frames += inputs["frames"].sum()
        loss, step = torch.zeros((), device=self.args.device), super().training_step
        *parts, last = divided(inputs, self.parts)
        with self.accelerator.no_sync(model):  # gradients are exchanged after the last part
            for part in parts:
                loss += step(model, part, num_items_in_batch)
        loss += step(model, last, num_items_in_batch)
        # In float16 losses may overflow; the optimizer then skips the step, which `Float16` watches.
        watched = self._float16 and self._float16.failed_at is None
        self._lost = 0 if watched or torch.isfinite(loss) else self._lost + 1
        if self._lost == 10:
            raise U2UError(
                f"step {self.state.global_step}: the loss is not a number any more: train again into another "
                "--output_dir, with a lower --learning_rate and --head_learning_rate: a run that is resumed keeps its "
                "rates"
            )
        return loss

    def _clip_grad_norm(self, model):
        if self._float16:
            self._float16.unscale()
        return super()._clip_grad_norm(model)

    def _get_grad_norm(self, model, grad_norm=None):
        if self._float16 and grad_norm is None:
            self._float16.unscale()
        return super()._get_grad_norm(model, grad_norm)

    def _load_scaler(self, checkpoint):
        if self.accelerator.scaler is not None:  # else the run has left float16
            super()._load_scaler(checkpoint)

    def _load_optimizer_and_scheduler(self, checkpoint):
        try:
            super()._load_optimizer_and_scheduler(checkpoint)
        except ValueError as error:
            if "parameter group" not in str(error):
                raise
            raise U2UError(f"{checkpoint}: was trained with another --freeze_layers: resume with the same") from error

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

    def _keep_better(self) -> None:
        """End with the average of the weights if it is better on validation, by what chooses the best checkpoint."""
        name = self.args.metric_for_best_model
        name = name if name in METRICS else MAIN
        without = self.scores()[name]
        self._average.swap()
        averaged = self.evaluate(metric_key_prefix="average")[f"average_{name}"]
        self.averaged = averaged < without
        if not self.averaged:
            self._average.swap()
        if self.is_world_process_zero():
            end = "kept" if self.averaged else f"not kept: {without:.1%} without"
            write_line(f"average of the last weights: validation {METRICS[name].label} {averaged:.1%}, {end}")

    def scores(self) -> dict[str, float]:
        """Return the scores of the trained model on validation, see `evaluation.metrics.scores_with_intervals`."""
        if self.averaged:
            row = self.state.log_history[-1]
            return {key: row[f"average_{key}"] for name in METRICS for key in score_keys(name)}
        loaded = self.args.load_best_model_at_end and self.state.best_model_checkpoint
        kept = self.state.best_global_step if loaded else self.state.global_step
        measured = [row for row in self.state.log_history if row["step"] == kept and f"eval_{MAIN}" in row]
        row = measured[-1] if measured else self.evaluate()
        return {key: row[f"eval_{key}"] for name in METRICS for key in score_keys(name) if f"eval_{key}" in row}

    def _maybe_log_save_evaluate(self, *arguments, **settings):
        evaluates, saves = self.control.should_evaluate, self.control.should_save
        begun = self.progress.clock()
        super()._maybe_log_save_evaluate(*arguments, **settings)
        if evaluates or saves:
            self.progress.has_paused(self.progress.clock() - begun, evaluates)

    def _run_epoch(self, *arguments, **settings):
        """Train for an epoch, unless the run is resumed from its end: Trainer would take one step more (5.24)."""
        budget = self.args.budget_seconds
        if budget is None:
            ended = self.state.global_step >= self.state.max_steps
        else:
            ended = any(row.get(_ENDED, 0.0) >= budget for row in self.state.log_history)
        if ended:
            self.control.should_training_stop = True
        else:
            super()._run_epoch(*arguments, **settings)

    def _save_checkpoint(self, model, trial):
        ended = self.progress.step >= self.progress.total
        if ended and self.args.budget_seconds and self.state.log_history:
            self.state.log_history[-1][_ENDED] = self.args.budget_seconds
        folder = Path(self.args.output_dir, f"checkpoint-{self.state.global_step}")
        with written(folder, "run the same command with --resume"):
            if self.is_world_process_zero():  # before Trainer's last file, which marks the checkpoint as whole
                folder.mkdir(parents=True, exist_ok=True)
                self._average.save(folder)
            super()._save_checkpoint(model, trial)

    def _frozen_at_first(self, forward: Callable) -> Callable:
        """Return the encoder's `forward` without gradients as long as only the head learns."""

        @functools.wraps(forward)
        def run(*arguments, **settings):
            step = self.progress.at(self.state.global_step)
            frozen = self.model.training and step < round(self.args.hold_encoder * self.progress.total)
            with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
                return forward(*arguments, **settings)

        return run


def _frozen_factor(factor: Callable[[int], float], frozen: int, rise: int) -> Callable[[int], float]:
    """Return a schedule that is 0 for `frozen` steps and rises to `factor` over the next `rise`."""
    return lambda step: factor(step) * min(1.0, max(0, step - frozen) / rise) if frozen else factor(step)
