"""How far a training run is, in steps or in time, and when it has to stop."""

from __future__ import annotations

import signal
import time

import psutil
import torch
from tqdm.auto import tqdm
from transformers import ProgressCallback, TrainerCallback

# Until an evaluation and a checkpoint have been timed: the share of a time budget that is kept for the last ones.
_RESERVE = 0.05


class Progress(TrainerCallback):
    """Counts a run from 0 to `total`: its steps or, with a time budget, the share of the time that is spent.

    With a budget, evaluations and checkpoints come by that count too. SIGTERM and Ctrl-C end the run with a
    checkpoint after the step that is being made; a second one ends it at once.

    Attributes:
        begun: when the clock began to run, in seconds since 1970: with this process.
        total: what the count ends with.
        step: the count, at the end of the last step.
        pause: seconds that the longest evaluation with its checkpoint took.
        interrupted: the run was asked to stop before its end.
    """

    def __init__(self, budget_seconds: float | None = None):
        self.budget_seconds = budget_seconds
        self.begun = psutil.Process().create_time()
        self.total = self.step = 0
        self.pause = 0.0
        self.interrupted = False
        self._before = 0.0
        self._handlers: dict[int, object] = {}

    @property
    def seconds(self) -> float:
        """Spent on this run, also before it was stopped and gone on with."""
        return self._before + time.time() - self.begun

    def at(self, step: int) -> int:
        """The count for a step of the optimizer."""
        return step if self.budget_seconds is None else min(self.total, max(step, self.step))

    def on_train_begin(self, args, state, control, **kwargs):
        self.total = state.max_steps
        self._before = max((row.get("seconds", 0.0) for row in state.log_history), default=0.0)
        self._count(state.global_step, self._together(args.device)[0])
        for number in (signal.SIGTERM, signal.SIGINT):
            self._handlers[number] = signal.signal(number, self._stop)

    def on_train_end(self, args, state, control, **kwargs):
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def on_step_end(self, args, state, control, **kwargs):
        seconds, stop = self._together(args.device)
        before = self.step
        self._count(state.global_step, seconds)
        if self.budget_seconds is not None:
            ended = self.step >= self.total
            control.should_training_stop |= ended
            if args.eval_strategy == "steps":
                control.should_evaluate |= ended or _passed(before, self.step, state.eval_steps)
            if args.save_strategy == "steps":
                control.should_save |= ended or _passed(before, self.step, state.save_steps)
        if stop:
            self.interrupted = not control.should_training_stop
            control.should_training_stop = control.should_save = True
            control.should_evaluate = False
        return control

    def on_log(self, args, state, control, **kwargs):
        if state.log_history:
            state.log_history[-1]["seconds"] = round(self.seconds, 1)

    def _count(self, step: int, seconds: float) -> None:
        if self.budget_seconds is None:
            self.step = step
        else:
            # Twice: the last evaluation with its checkpoint, and then loading the best one and writing the model.
            usable = self.budget_seconds - (2 * self.pause or _RESERVE * self.budget_seconds)
            self.step = max(self.step, min(self.total, int(self.total * seconds / max(usable, 1e-9))))

    def _stop(self, number, frame) -> None:
        if self.interrupted:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.interrupted = True
        tqdm.write("stopping after this step, with a checkpoint (once more to stop at once)")

    def _together(self, device: torch.device) -> tuple[float, bool]:
        """The longest time and any process's wish to stop: all processes go on alike."""
        here = torch.tensor([self.seconds, self.interrupted], dtype=torch.float64, device=device)
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(here, torch.distributed.ReduceOp.MAX)
        seconds, stop = here.tolist()
        return seconds, bool(stop)


def _passed(before: int, now: int, interval: int) -> bool:
    return now // interval > before // interval


class ProgressBar(ProgressCallback):
    """One line while training: the share done, time left, loss, character error rate, seconds of audio a second."""

    def __init__(self, progress: Progress):
        super().__init__()
        self._progress = progress
        self._shown: dict[str, str] = {}

    def on_train_begin(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            timed = self._progress.budget_seconds is not None
            look = "{l_bar}{bar}| {elapsed}<{remaining}{postfix}" if timed else None
            self.training_bar = tqdm(
                total=self._progress.total,
                initial=self._progress.step,
                desc="training",
                unit="step",
                bar_format=look,
                dynamic_ncols=True,
            )

    def on_step_end(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            self.training_bar.update(self._progress.step - self.training_bar.n)

    def on_log(self, args, state, control, logs=None, **kwargs):
        if not state.is_world_process_zero or self.training_bar is None:
            return
        if "loss" in logs:
            self._shown["loss"] = f"{logs['loss']:.3f}"
            self._shown["audio s/s"] = f"{logs['audio_seconds_per_second']:.0f}"
        if "eval_cer" in logs:
            self._shown["CER"] = f"{logs['eval_cer']:.1%}"
            tqdm.write(
                f"step {state.global_step}: validation CER {logs['eval_cer']:.1%}, WER {logs['eval_wer']:.1%}, "
                f"loss {logs['eval_loss']:.3f}"
            )
        self.training_bar.set_postfix(self._shown)
