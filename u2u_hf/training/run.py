"""One training from its base model to the model that it leaves in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import DatasetDict
from transformers import TrainerCallback

from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.checkpoints import resume_point
from u2u_hf.training.saving import save_trained
from u2u_hf.training.trainer_setup import build_trainer

LEAST_SECONDS = 20  # of a training with a time budget: to load a model and to write it takes some ten seconds


class Stopped(Exception):
    """The run was asked to stop, and has written a checkpoint."""


@dataclass(frozen=True)
class Trained:
    """A finished training, whose model is in the output folder.

    Attributes:
        scores: of the model on validation.
        steps: optimizer steps, of all stages.
        seconds: duration of the whole training.
        log_history: of the training of this model.
        account: sentences on what each stage gave, of a training in stages.
    """

    scores: dict[str, float]
    steps: int
    seconds: float
    log_history: list[dict[str, Any]]
    account: str = ""


def train(
    model_source: str,
    splits: DatasetDict,
    source: str,
    args: CtcTrainingArguments,
    *,
    callbacks: Sequence[TrainerCallback] = (),
    push_to: str = "",
    begun: float | None = None,
) -> Trained:
    """Train, or resume, and write model and processor into ``args.output_dir``.

    Args:
        model_source: folder or Hub name of the base model.
        source: the dataset's name, for messages.
        push_to: OWNER/NAME on the Hub, whose checkpoint is resumed from if the folder has none. Or empty.
        begun: seconds since 1970 from which a time budget counts; None for the start of this process.

    Raises:
        Stopped: the run was asked to stop before its end.
        U2UError: see `build_trainer`, `resume_point` and `save_trained`.
    """
    output_dir = Path(args.output_dir)
    trainer, processor = build_trainer(model_source, splits, source, args)
    if begun is not None:
        trainer.progress.begun = begun
    checkpoint = resume_point(output_dir, args.resume, processor.tokenizer.get_vocab(), push_to)
    for callback in callbacks:
        trainer.add_callback(callback)
    trainer.train(checkpoint)
    if trainer.progress.interrupted:
        raise Stopped(f"step {trainer.state.global_step}")
    scores = trainer.scores()
    save_trained(trainer, processor, output_dir)
    return Trained(scores, trainer.state.global_step, trainer.progress.seconds, trainer.state.log_history)
