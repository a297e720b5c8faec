"""An average of the weights over the last part of a run, which often recognises better than the last weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import PreTrainedModel, TrainerCallback

from u2u_hf.model_folder import AVERAGE
from u2u_hf.training.progress import Progress

# Shares of the run: the average begins there, and weights this old count for 1/e.
_BEGIN, _MEMORY = 0.5, 0.05


class Average(TrainerCallback):
    """An exponential moving average of the weights that learn, from the middle of the run to its end.

    It follows the share of the run and not steps, because a run that ends by its time does not know its steps.
    It is kept beside each checkpoint, so that a resumed run ends the same.
    """

    def __init__(self, model: PreTrainedModel, progress: Progress):
        self._model, self._progress = model, progress
        self._weights: dict[str, torch.Tensor] = {}
        self._at = 0.0

    def __bool__(self) -> bool:
        """Return whether there is an average yet."""
        return bool(self._weights)

    def on_step_end(self, args, state, control, **kwargs):
        share = self._progress.step / max(1, self._progress.total)
        if share < _BEGIN:
            self._weights = {}
            return
        if not self._weights or share < self._at:  # the run was made longer: what was its end is its middle
            self._weights = {name: weight.detach().clone() for name, weight in self._learning()}
        else:
            new = 1 - math.exp((self._at - share) / _MEMORY)
            for name, weight in self._learning():
                self._weights[name].lerp_(weight.detach(), new)
        self._at = share

    def swap(self) -> None:
        """Exchange the model's weights and the average's."""
        for name, weight in self._learning():
            kept = weight.detach().clone()
            weight.data.copy_(self._weights[name])
            self._weights[name] = kept

    def save(self, folder: Path) -> None:
        """Write the average, if there is one, into a checkpoint's folder."""
        if self._weights:
            save_file(
                {name: weight.contiguous() for name, weight in self._weights.items()},
                folder / AVERAGE,
                {"at": repr(self._at)},
            )

    def load(self, folder: Path | None) -> None:
        """Go on with the average of a checkpoint's folder; without a folder, or where it has none, begin anew."""
        self._weights = {}
        if folder and (folder / AVERAGE).is_file():
            with safe_open(folder / AVERAGE, "pt") as file:
                self._at = float(file.metadata()["at"])
                saved = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            weights = dict(self._learning())
            if saved.keys() == weights.keys():  # not with another --freeze_layers, which Trainer refuses afterwards
                self._weights = {name: saved[name].to(weight.device) for name, weight in weights.items()}

    def _learning(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        return ((name, weight) for name, weight in self._model.named_parameters() if weight.requires_grad)
