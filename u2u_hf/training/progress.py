"""The progress of a training run, in steps or in time, and its stop."""

from __future__ import annotations

import signal

import psutil
import torch
from transformers import ProgressCallback, TrainerCallback
from transformers.trainer_utils import has_length

from u2u_hf.evaluation.metrics import MAIN, METRICS, in_percent
from u2u_hf.progress_bar import progress_bar, write_line
from u2u_hf.training.awake_clock import awake_clock
from u2u_hf.training.peak_memory import peak_bytes

# Share of a time budget reserved for the last evaluation and checkpoint until a first pair has been timed.
_RESERVE = 0.05
# Share of the time that evaluations and checkpoints before the last may take. On the demo corpus, ten evaluations took
# most of a run of 20 seconds, which ended with a CER of 11.4 and 8.6 %; without any it was 3.3 and 2.7 %.
_PAUSES = 0.1


class Progress(TrainerCallback):
    """A count of the run from 0 to `total`: its steps or, with a time budget, the share of the time spent.

    With a budget, evaluations and checkpoints follow the count too, and an evaluation that would take too much of the
    time is left out. SIGTERM or Ctrl-C ends the run after the current step, with a checkpoint; a second one ends it at
    once.

    Attributes:
        begun: start of this process, in seconds of `clock`; the budget counts from here.
        clock: what tells the time, in seconds since 1970; it stands still while the computer sleeps.
        total: the count at the end of the run.
        step: the count at the end of the last step.
        pause: duration of the longest evaluation with its checkpoint, in seconds; of a run without evaluations, of the
            longest checkpoint. paused: of all evaluations and checkpoints.
        evaluation_steps: the training steps that an evaluation takes as long as, for the first one: it is timed only
            when it is over.
        interrupted: whether the run was asked to stop before its end.
    """

    def __init__(self, budget_seconds: float | None = None):
        self.budget_seconds = budget_seconds
        self.begun, self.clock = psutil.Process().create_time(), awake_clock()
        self.total = self.step = 0
        self.pause = self.paused = self.evaluation_steps = 0.0
        self.interrupted = False
        self._before: float | None = None
        self._first = 0, 0.0  # step and seconds at which this process began to train
        self._handlers: dict[int, object] = {}

    @property
    def seconds(self) -> float:
        """Return the seconds spent on this run, including those before it was resumed."""
        return (self._before or 0.0) + self.clock() - self.begun

    def at(self, step: int) -> int:
        """Return the count for an optimizer step."""
        return step if self.budget_seconds is None else min(self.total, max(step, self.step))

    def on_train_begin(self, args, state, control, **kwargs):
        self.total = state.max_steps
        if self._before is None:  # not again after a return to a checkpoint of this process
            self._before = max((row.get("seconds", 0.0) for row in state.log_history), default=0.0)
        self._first = state.global_step, self._together(args.device)[0]
        self._count(*self._first)
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
                pauses = self.paused + self._next_pause(state.global_step, seconds)
                due = _passed(before, self.step, state.eval_steps) and pauses <= _PAUSES * seconds
                control.should_evaluate |= ended or due
            if args.save_strategy == "steps":
                control.should_save |= ended or _passed(before, self.step, state.save_steps)
        if stop:
            self.interrupted = not control.should_training_stop
            control.should_training_stop = control.should_save = True
            control.should_evaluate = False
        return control

    def has_paused(self, seconds: float, evaluated: bool) -> None:
        """Note how long an evaluation, a checkpoint or both took; a checkpoint alone does not tell of evaluations."""
        if evaluated or not self.evaluation_steps:
            self.pause = max(self.pause, seconds)
        self.paused += seconds

    def _next_pause(self, step: int, seconds: float) -> float:
        """Return the seconds that the next evaluation takes: as long as the longest, or as its steps."""
        first, begun = self._first
        return self.pause or self.evaluation_steps * (seconds - begun) / max(1, step - first)

    def on_log(self, args, state, control, **kwargs):
        if state.log_history:
            state.log_history[-1] |= {"seconds": round(self.seconds, 1), "peak_bytes": peak_bytes(args.device)}

    def _count(self, step: int, seconds: float) -> None:
        if self.budget_seconds is None:
            self.step = step
        else:
            # For the last evaluation with its checkpoint, for loading the best one and scoring the average, for writing
            # the model, and for calibrating its confidence on validation.
            usable = self.budget_seconds - (4 * self.pause or _RESERVE * self.budget_seconds)
            self.step = max(self.step, min(self.total, int(self.total * seconds / max(usable, 1e-9))))

    def _stop(self, number, frame) -> None:
        if self.interrupted:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.interrupted = True
        write_line("stopping after this step, with a checkpoint (repeat to stop at once)")

    def _together(self, device: torch.device) -> tuple[float, bool]:
        """Return the longest time of all processes, and whether any is to stop: all must decide alike.

        The longest pauses of all become those of each: the main process writes more than the others.
        """
        own = [self.seconds, self.interrupted, self.pause, self.paused]
        here = torch.tensor(own, dtype=torch.float64, device=device)
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(here, torch.distributed.ReduceOp.MAX)
        seconds, stop, self.pause, self.paused = here.tolist()
        return seconds, bool(stop)


def _passed(before: int, now: int, interval: int) -> bool:
    return now // interval > before // interval


class ProgressBar(ProgressCallback):
    """A progress bar with the time left, the loss, the main metric and the seconds of audio trained per second."""

    def __init__(self, progress: Progress):
        super().__init__()
        self._progress = progress
        self._shown: dict[str, str] = {}

    def on_train_begin(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            timed = self._progress.budget_seconds is not None
            shown = {"after_bar": "{elapsed}<{remaining}{postfix}"} if timed else {}
            self.training_bar = progress_bar(
                total=self._progress.total,
                initial=self._progress.step,
                desc="training",
                unit="step",
                **shown,
            )

    def on_step_end(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            self.training_bar.update(self._progress.step - self.training_bar.n)

    def on_prediction_step(self, args, state, control, eval_dataloader=None, **kwargs):
        if state.is_world_process_zero and has_length(eval_dataloader):
            if self.prediction_bar is None:
                alone = self.training_bar is None
                self.prediction_bar = progress_bar(desc="scoring", total=len(eval_dataloader), leave=alone)
            self.prediction_bar.update(1)

    def on_log(self, args, state, control, logs=None, **kwargs):
        if not state.is_world_process_zero or self.training_bar is None:
            return
        if "loss" in logs:
            self._shown["loss"] = f"{logs['loss']:.3f}"
            self._shown["audio s/s"] = f"{logs['audio_seconds_per_second']:.0f}"
        if f"eval_{MAIN}" in logs:
            self._shown[METRICS[MAIN].label] = f"{logs[f'eval_{MAIN}']:.1%}"
            scores = in_percent(logs, prefix="eval_")
            write_line(f"step {state.global_step}: validation {scores}, loss {logs['eval_loss']:.3f}")
        self.training_bar.set_postfix(self._shown)
