"""float16 on GPUs without bfloat16, watched: where it fails, the run goes back and on in float32.

It fails in two ways. Activations overflow and the loss is not finite; or the loss stays finite and the gradients
overflow, so that the optimizer skips its steps, the scale of the loss falls, and nothing is learnt (the author of
mHuBERT-147, https://github.com/utter-project/fairseq/issues/5). Skipped steps show both.

autocast and GradScaler are used here and not through accelerate, whose choice is made once for each process.
"""

from __future__ import annotations

import functools
import json
import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import PreTrainedModel, Trainer, TrainerCallback

from u2u_hf.model_folder import STATE, checkpoints
from u2u_hf.recognition.families.registry import family_of

# A scale that is too high at first is halved by skipped steps: from 2^16 nine of them come down to 2^7.
_WINDOW, _SKIPPED = 20, 10
_LOWEST_SCALE = 1.0  # below it the scale makes gradients smaller than they are
_FAILED_AT = "float16_failed_at"  # key in the log history
_POSITIONS = ("pos_conv_embed", "encode_positions")


class Float16Failed(Exception):
    """Too many steps were skipped; `good` is the number of steps until the last one that was not."""

    def __init__(self, good: int, skipped: int):
        super().__init__(good, skipped)
        self.good, self.skipped = good, skipped


class Float16(TrainerCallback):
    """float16 for a trainer, until it fails.

    Attributes:
        failed_at: the step at which it failed, or None.
    """

    def __init__(self, trainer: Trainer):
        self._trainer = trainer
        self.failed_at: int | None = None
        self._recent: deque[tuple[int, bool]] = deque(maxlen=_WINDOW)
        self._scale = 0.0
        self._first: dict[str, torch.Tensor] = {}
        self.scaler = torch.amp.GradScaler(trainer.args.device.type)
        trainer.accelerator.scaler = self.scaler
        keep_float32(trainer.model)

    def autocast(self) -> torch.autocast:
        """Return the context in which the model computes."""
        device = self._trainer.args.device.type
        return torch.autocast(device, dtype=torch.float16, enabled=self.failed_at is None)

    def unscale(self) -> None:
        """Bring the gradients to their true size; once for each step."""
        if self.failed_at is None:
            self.scaler.unscale_(self._trainer.optimizer.optimizer)

    def begin(self, checkpoint: Path | None) -> None:
        """Prepare for a run: one that failed before it was stopped goes on in float32."""
        if checkpoint:
            history = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))["log_history"]
            if failed := [row[_FAILED_AT] for row in history if _FAILED_AT in row]:
                self._leave(failed[-1])
        elif self.failed_at is None:
            weights = self._trainer.model.named_parameters()
            self._first = {name: w.detach().to("cpu", copy=True) for name, w in weights if w.requires_grad}

    def go_back(self, failure: Float16Failed) -> Path | None:
        """Change to float32, and return the last checkpoint before the failure; without one, restore the first weights.

        Later checkpoints are removed: nothing was learnt after the last good step.
        """
        trainer = self._trainer
        trainer.callback_handler.on_train_end(trainer.args, trainer.state, trainer.control)
        self._leave(trainer.state.global_step)
        folders = checkpoints(Path(trainer.args.output_dir))
        good = max((step for step in folders if step <= failure.good), default=None)
        if good is None and not self._first:  # the earliest has learnt least from steps that were not skipped
            good = min(folders, default=None)
        trainer.accelerator.wait_for_everyone()
        if trainer.is_world_process_zero():
            for step in folders:
                if step > (failure.good if good is None else good):
                    shutil.rmtree(folders[step])
        trainer.accelerator.wait_for_everyone()
        if good is None:
            with torch.no_grad():
                for name, weight in trainer.model.named_parameters():
                    if name in self._first:
                        weight.copy_(self._first[name])
        self._first = {}
        return None if good is None else folders[good]

    def _leave(self, step: int) -> None:
        trainer = self._trainer
        self.failed_at = step
        trainer.accelerator.scaler = trainer.optimizer = trainer.lr_scheduler = None
        trainer.model_wrapped = trainer.model
        trainer.model.zero_grad()

    def on_train_begin(self, args, state, control, **kwargs):
        self._scale = self.scaler.get_scale()
        if self.failed_at is not None and not any(_FAILED_AT in row for row in state.log_history):
            state.log_history.append({"step": state.global_step, _FAILED_AT: self.failed_at})

    def on_optimizer_step(self, args, state, control, **kwargs):
        if self.failed_at is not None:
            return
        # The scale falls after each skipped step. accelerate does not see those of fused optimizers (1.15).
        scale = self.scaler.get_scale()
        self._recent.append((state.global_step, scale < self._scale))
        self._scale = scale
        skipped = sum(was_skipped for _, was_skipped in self._recent)
        if skipped >= _SKIPPED or (skipped and scale < _LOWEST_SCALE):
            learnt = [step + 1 for step, was_skipped in self._recent if not was_skipped]
            raise Float16Failed(learnt[-1] if learnt else 0, skipped)

    def on_save(self, args, state, control, **kwargs):
        self._first = {}  # from now on there is a checkpoint to go back to


def keep_float32(model: PreTrainedModel) -> None:
    """Let norms, positional convolution and head compute in float32 within autocast."""
    head = getattr(model, family_of(model).head)
    for name, module in model.named_modules():
        norm = isinstance(module, (torch.nn.LayerNorm, torch.nn.GroupNorm))
        if norm or module is head or name.endswith(_POSITIONS):
            module.forward = _in_float32(module.forward)


def _in_float32(forward: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    @functools.wraps(forward)
    def run(inputs: torch.Tensor) -> torch.Tensor:
        with torch.autocast(inputs.device.type, enabled=False):
            return forward(inputs.float())

    return run


def numbers(log_history: list[dict]) -> str:
    """Return a sentence on a run that left float16; empty of any other."""
    rows = [row for row in log_history if _FAILED_AT in row]
    if not rows:
        return ""
    step, failed = rows[-1]["step"], rows[-1][_FAILED_AT]
    return f"float16 failed at step {failed:,}, so the model was trained in float32 from step {step:,} on."
