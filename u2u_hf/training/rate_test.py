"""The learning rates of a run, by a short test before its first step: how high may they be until the loss rises?

The learning rate range test of Smith (2017, Cyclical learning rates for training neural networks): the rate grows from
step to step until the loss rises, and a share of the rate with the lowest loss is taken. First for the head alone, then
for the encoder. The test learns from a few batches again and again, and compares each one's loss with its first: the
losses of different batches differ more than a rate makes them.

Tiny base, seeds 0 to 3: the loss was lowest at 3e-3 to 8e-3 on Mboshi and at 2e-3 to 4e-3 on the demo corpus, where by
hand rates of 3e-3 and 1e-3 had been found to be good.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel, Trainer

from u2u_hf.frames import SAMPLING_RATE, STRIDE
from u2u_hf.recognition.families.registry import family_of
from u2u_hf.training.memory_trial import divided, restored

# First and last rate; so many steps for each factor of ten.
_HEAD, _ENCODER, _PER_TEN = (1e-4, 1.0), (1e-5, 1e-1), 8
_SHARE = 0.5  # of the rate with the lowest loss
_HEAD_MOST = 1e-2  # the loss of a head on a frozen encoder rises late or not at all
# The test was tried on a small encoder only. Large ones get no more than what XLS-R is fine-tuned with (von Platen,
# 2021, Fine-tuning XLS-R for multi-lingual ASR).
_LARGE, _ENCODER_MOST = 50_000_000, 3e-4
_SETTLING = 8  # steps of the head before the encoder's rate is tested
_BATCHES, _SECONDS = 8, 20.0  # how many, and the seconds of audio in each at most
# The cost of the test in steps that train all weights, at most; and the share of the run that it may take.
_COST, _OF_RUN = 48, 0.1
_FLOAT16 = 1024.0  # factor of the loss in float16, in which small gradients would be 0


class Rise:
    """Tells of losses, one after the other, whether they rise: their running mean lies well above the lowest so far.

    Attributes:
        lowest: whether the last loss made the mean the lowest so far.
    """

    def __init__(self) -> None:
        self._mean = self._least = math.nan
        self.lowest = False

    def is_there(self, loss: float) -> bool:
        """Return whether the losses rise.

        Args:
            loss: the next one, as a share of the loss before the test.
        """
        if not math.isfinite(loss):
            return True
        self._mean = loss if math.isnan(self._mean) else 0.7 * self._mean + 0.3 * loss
        self.lowest = not self._mean >= self._least
        self._least = self._mean if self.lowest else self._least
        return self._mean > 1.2 * self._least + 0.1


@dataclass(frozen=True)
class Rates:
    """Peak learning rates."""

    encoder: float
    head: float


def find_rates(trainer: Trainer, max_steps: int, given: Mapping[str, float]) -> Rates | None:
    """Return the rates that the test finds, alike in all processes; None where it would take too much of the run.

    The model is then as before.

    Args:
        trainer: a `CtcTrainer` whose model is not wrapped yet.
        max_steps: of the run, if it has no time budget.
        given: rates that the user gave, and that are not tested: ``learning_rate`` or ``head_learning_rate``.
    """
    learning = [weight for weight in trainer.model.parameters() if weight.requires_grad]
    before = _copies(learning)
    with restored(trainer):
        try:
            test = _Test(trainer)
            if not test.is_worth(max_steps):
                return None
            head = given.get("head_learning_rate")
            head = min(_HEAD_MOST, _SHARE * test.head_rate()) if head is None else head
            test.settle(head)
            encoder = given.get("learning_rate")
            encoder = min(_most(trainer.model), _SHARE * test.encoder_rate()) if encoder is None else encoder
        finally:
            trainer.model.zero_grad()
            for weight in learning:
                weight.requires_grad_(True)
            _restore(learning, before)
    least = torch.tensor([encoder, head], dtype=torch.float64, device=trainer.args.device)
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(least, torch.distributed.ReduceOp.MIN)
    return Rates(*least.tolist())


def _most(model: PreTrainedModel) -> float:
    """Return the highest rate that the test may give to an encoder, by its size: frozen layers count too."""
    return _ENCODER_MOST if sum(weight.numel() for weight in model.parameters()) > _LARGE else math.inf


class _Test:
    """The steps of a test, on a few batches again and again. It changes the model."""

    def __init__(self, trainer: Trainer):
        self._trainer = trainer
        trainer.regularisation.set(0.0)
        head = f"{family_of(trainer.model).head}."
        learning = [(name, weight) for name, weight in trainer.model.named_parameters() if weight.requires_grad]
        self._head = [weight for name, weight in learning if head in name]
        self._encoder = [weight for name, weight in learning if head not in name]
        self._optimizer = torch.optim.AdamW([{"params": part, "lr": 0.0} for part in (self._head, self._encoder)])
        batches = itertools.islice(trainer.get_train_dataloader(), _BATCHES)
        # As much as fits into the memory, see `memory_trial`.
        self._batches = [_shortened(divided(trainer._prepare_inputs(batch), trainer.parts)[0]) for batch in batches]
        self._first = [1.0] * len(self._batches)
        self._turn = 0
        self._scale = _FLOAT16 if trainer.args.fp16 else 1.0

    def is_worth(self, max_steps: int) -> bool:
        """Return whether the run is long enough for a test, by its steps or by the time of one here.

        Of a run in stages all of it counts: later stages take the rates that the first one finds.
        """
        if not self._encoder:
            return False
        budget, clock = self._trainer.args.budget_seconds, self._trainer.progress.clock
        share = _OF_RUN / self._trainer.args.part_of_run
        if budget is None:
            return max_steps * share >= _COST
        self._step()  # at rate 0; the first one takes longer
        begun = clock()
        self._step()
        cost = torch.tensor(_COST * (clock() - begun), device=self._trainer.args.device)
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(cost, torch.distributed.ReduceOp.MAX)
        return float(cost) <= budget * share

    def head_rate(self) -> float:
        """Return the rate of the head with the lowest loss. The head is then as it was there."""
        self._freeze_encoder(True)
        return self._best(self._optimizer.param_groups[0], *_HEAD, self._head)

    def settle(self, rate: float) -> None:
        """Let the head learn some steps at its own rate, and from then on."""
        self._freeze_encoder(True)
        self._optimizer.state.clear()
        self._optimizer.param_groups[0]["lr"] = rate
        for _ in range(_SETTLING):
            self._step()

    def encoder_rate(self) -> float:
        """Return the rate of the encoder with the lowest loss."""
        self._freeze_encoder(False)
        # Not copied at each rate: an encoder of 300 million weights has 1.2 GB, and `find_rates` restores it.
        return self._best(self._optimizer.param_groups[1], *_ENCODER, [])

    def _freeze_encoder(self, frozen: bool) -> None:
        for weight in self._encoder:
            weight.requires_grad_(not frozen)

    def _best(self, group: dict, first: float, last: float, returning: Sequence[torch.Tensor]) -> float:
        """Return the rate of a group with the lowest loss.

        Args:
            returning: weights that end as they were at that rate; the others end as the last step left them.
        """
        with torch.no_grad():
            self._first = [float(self._loss(batch)) for batch in self._batches]
        self._turn, rise, best, kept = 0, Rise(), first, _copies(returning)
        for step in range(round(math.log10(last / first) * _PER_TEN) + 1):
            group["lr"], now = first * 10 ** (step / _PER_TEN), _copies(returning)
            if rise.is_there(self._step()):
                break
            if rise.lowest:
                best, kept = group["lr"], now
        _restore(returning, kept)
        return best

    def _step(self) -> float:
        """Learn from the next batch; return its loss before that, as a share of its first one."""
        turn = self._turn % len(self._batches)
        self._turn += 1
        loss = self._loss(self._batches[turn])
        (loss * self._scale).backward()
        weights = [weight for weight in (*self._head, *self._encoder) if weight.grad is not None]
        for weight in weights:
            weight.grad /= self._scale
        norm = torch.nn.utils.clip_grad_norm_(weights, self._trainer.args.max_grad_norm or math.inf)
        if self._trainer.args.fp16 and not torch.isfinite(norm):
            self._scale /= 2  # and the step is skipped, as GradScaler does
        else:
            self._optimizer.step()
        self._optimizer.zero_grad()
        return float(loss.detach()) / (self._first[turn] or 1.0)  # 0 where no text fits into its frames

    def _loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        with self._trainer.accelerator.autocast():  # accelerate gives it to the model later
            return self._trainer.compute_loss(self._trainer.model, dict(batch))


def _shortened(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the first utterances of a batch, as many as have `_SECONDS` with their padding, and one at least."""
    longest = float(batch["frames"].max()) * STRIDE / SAMPLING_RATE
    return {key: value[: max(1, int(_SECONDS / max(longest, 1e-3)))] for key, value in batch.items()}


def _copies(weights: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    # Not in a GPU's memory, of which the trial before leaves no more than a step needs.
    return [weight.detach().to("cpu", copy=True) for weight in weights]


def _restore(weights: Sequence[torch.Tensor], copies: Sequence[torch.Tensor]) -> None:
    with torch.no_grad():
        for weight, copy in zip(weights, copies, strict=True):
            weight.copy_(copy)
