"""A trainer for a prepared dataset, and what a run prints about its data and its model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from datasets import Dataset, DatasetDict
from transformers import ProcessorMixin, set_seed

from u2u_hf.corpus.filters import TOO_FEW_FRAMES
from u2u_hf.data.collator import CtcCollator
from u2u_hf.data.dataset import require_split
from u2u_hf.data.processes import processes
from u2u_hf.frames import RECEPTIVE_FIELD, SAMPLING_RATE, frame_count, frames_needed
from u2u_hf.progress_bar import write_line
from u2u_hf.recognition.decoding import Labels
from u2u_hf.recognition.model import family_at, start_from
from u2u_hf.recognition.tokenizer import labels_of
from u2u_hf.records import Dropped, U2UError, Utterance
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.freezing import freeze_layers
from u2u_hf.training.trainer import CtcTrainer
from u2u_hf.training.trainer_metrics import trainer_metrics

Say = Callable[[str], None]


def build_trainer(
    model_source: str, splits: DatasetDict, source: str, args: CtcTrainingArguments
) -> tuple[CtcTrainer, ProcessorMixin]:
    """Return a trainer for a prepared dataset, starting from a pre-trained model, and the model's processor.

    Args:
        model_source: folder or Hub name of a model of one of the `FAMILIES`.
        source: the dataset's name, for messages.

    Raises:
        U2UError: a split is empty, or the model is missing or cannot be fine-tuned.
    """
    receptive_field = family_at(model_source).inputs.receptive_field
    train, validation = (require_split(splits, name, source) for name in ("train", "validation"))
    say: Say = write_line if processes().is_main_process else lambda line: None
    train = _feasible(train, receptive_field, source, say)
    _warn_of_unseen_characters(train, validation, say)
    hours = sum(train["duration"]) / 3600
    regularisation = args.regularisation()
    say(f"{hours:.2f} hours of training speech; at most, after some passes over it: {regularisation}")
    set_seed(args.seed)  # also for the new head's weights
    model, processor = start_from(model_source, train["text"], regularisation.config(), args.fresh_head, say)
    if frozen := freeze_layers(model, args.freeze_layers):
        say(frozen)
    trainer = CtcTrainer(
        model=model,
        args=args,
        data_collator=CtcCollator(processor),
        train_dataset=train,
        eval_dataset=validation.select(np.argsort(validation["duration"])),  # so that batches have little padding
        processing_class=processor,
        compute_metrics=trainer_metrics(
            _labels_for_scores(processor), show_pairs if processes().is_main_process else None
        ),
    )
    return trainer, processor


def infeasible(dataset: Dataset, receptive_field: int = RECEPTIVE_FIELD) -> dict[int, Dropped]:
    """Return row → why it is dropped, for rows whose text needs more frames than their audio has.

    CTC cannot learn from them. What a dataset does not say of an utterance is empty or 0.
    """
    rows = [
        index
        for index, (text, duration) in enumerate(zip(dataset["text"], dataset["duration"], strict=True))
        if frame_count(round(duration * SAMPLING_RATE), receptive_field) < frames_needed(text)
    ]
    described = dataset.remove_columns([name for name in ("audio",) if name in dataset.column_names])
    return {row: Dropped(_utterance(described[row]), TOO_FEW_FRAMES) for row in rows}


def _utterance(row: Mapping[str, Any]) -> Utterance:
    start_ms = row.get("start_ms") or 0
    return Utterance(
        recording=row.get("recording") or "",
        audio="",
        tier=row.get("tier") or "",
        speaker=row.get("speaker") or "",
        channel=row.get("channel"),
        start_ms=start_ms,
        end_ms=start_ms + round(row["duration"] * 1000),
        raw_text=row.get("raw_text") or row["text"],
        text=row["text"],
    )


def _feasible(train: Dataset, receptive_field: int, source: str, say: Say) -> Dataset:
    if dropped := infeasible(train, receptive_field):
        first = next(iter(dropped.values()))
        one = first.utterance
        where = f", first in {one.recording}, tier {one.tier}, at {one.start_ms / 1000:g} s" if one.recording else ""
        say(f"! dropped: {len(dropped)} training utterances: {first}{where}")
        train = train.select([row for row in range(len(train)) if row not in dropped])
    if not len(train):
        raise U2UError(f"{source}: no training utterance is long enough for its text: are times and texts right?")
    return train


def _warn_of_unseen_characters(train: Dataset, validation: Dataset, say: Say) -> None:
    seen = set().union(" ", *train["text"])
    if unseen := Counter(c for text in validation["text"] for c in text if c not in seen):
        counts = ", ".join(f"{c} ({n}×)" for c, n in unseen.most_common(10))
        say(f"! validation has characters that are not in training, each counts as an error: {counts}")


def _labels_for_scores(processor: ProcessorMixin) -> Labels:
    """Return labels in which special tokens are visible, so that an unknown character of a reference is an error."""
    labels = labels_of(processor.tokenizer)
    return replace(labels, symbols=tuple(symbol or "\ufffd" for symbol in labels.symbols))


def show_pairs(hypotheses: Sequence[str], references: Sequence[str], count: int = 3) -> None:
    """Print a few references with their hypotheses, evenly spread; or that all hypotheses are empty."""
    if not any(hypotheses):
        write_line("the model writes nothing yet (only blanks): usual in the first steps; if it lasts, see README")
        return
    for row in np.linspace(0, len(references) - 1, min(count, len(references))).astype(int):
        write_line(f"  reference   {references[row]}")
        write_line(f"  hypothesis  {hypotheses[row]}")
