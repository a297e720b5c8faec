"""A cross-validation from its first fold to its last."""

from __future__ import annotations

import gc
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, DatasetDict, concatenate_datasets

from u2u_hf import folder_lock, output_folder
from u2u_hf.corpus.split_table import SPLITS
from u2u_hf.cross_validation.budget import recognition_seconds, seconds_since_start, share
from u2u_hf.cross_validation.folds import Fold, Rows, make_folds
from u2u_hf.cross_validation.settings import LeaveOut, Training, training_of
from u2u_hf.cross_validation.state import FoldRun, State, resumed
from u2u_hf.cross_validation.unseen import Unseen, recognise
from u2u_hf.data.dataset import UTTERANCE, digest
from u2u_hf.data.processes import gathered, processes
from u2u_hf.evaluation.metrics import MAIN
from u2u_hf.files import write_text
from u2u_hf.model_folder import LANGUAGE_MODEL, checkpoints
from u2u_hf.progress_bar import write_line
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.reports.quantities import length
from u2u_hf.settings import duration, seconds_of
from u2u_hf.training.run import Stopped, train

# Does something else with the recogniser of a fold. It is called again for a fold that a killed run did not finish, so
# it keeps what it has done.
Visit = Callable[[Recognizer, Fold], object]

_NO_NAME = "(no name)"
_TRAINED = "trained.json"  # in a fold's folder, once its model is written


@dataclass(frozen=True)
class CrossValidation:
    """What is left out in turn, and where it is trained.

    Attributes:
        rows: train, validation and test, one after the other.
        source: the dataset's name, for messages.
        model: folder or Hub name of the user's model.
        asked: the settings of leaving out.
        visit: called for each fold once it has recognised what it left out. visit_s: seconds of sound that all visits
            recognise, which a time budget counts.
    """

    rows: Dataset
    folds: Sequence[Fold]
    source: str
    model: str
    training: Training
    asked: LeaveOut
    output_dir: Path
    visit: Visit | None = None
    visit_s: float = 0.0

    @property
    def hours(self) -> float:
        return sum(self.rows["duration"]) / 3600

    @cached_property
    def state(self) -> State:
        """Return what is finished; with a time budget, the length of each training is set when nothing is.

        Raises:
            U2UError: the folder was begun under other conditions, or the time budget is too short.
        """
        if found := resumed(self.output_dir, self._conditions()):
            return found
        share_s = None
        if self.asked.time_budget:
            heard_s = 3600 * self.hours + self.visit_s
            other_s = recognition_seconds(self.model, heard_s) + seconds_since_start()
            share_s = share(self.asked.time_budget, len(self.folds), max(gathered([other_s])))
        return State(self.output_dir, self._conditions(), share_s)

    @property
    def about_length(self) -> str:
        """Return, for people to read, that the trainings are shorter than the model's own; empty if they are not."""
        share_s, own = self.state.share_s, self.training.settings.get("time_budget")
        if not share_s or (own and seconds_of(own) <= share_s):
            return ""
        longer = f"the model's own lasted {own}" if own else "the model's own may have been longer"
        return (
            f"each training lasts {duration(share_s)}, and {longer}: scores and confidence are those of trainings of "
            "that length"
        )

    def announce(self) -> None:
        """Print what will be trained, and how long it will take."""
        state = self.state  # of which processes agree
        if not processes().is_main_process:
            return
        left, names = len(self.folds) - len(state.runs), sum(len(fold.names) for fold in self.folds)
        each = f"for {duration(state.share_s)}" if state.share_s else f"as long as {self.model} was"
        write_line(
            f"{names} {self.asked.leave_out}s left out in turn, in {len(self.folds)} trainings from "
            f"{self.training.base_model}, each {each}; {left} still to be trained"
        )
        if self.training.untranscribed:
            write_line("! the model was trained on untranscribed recordings too; these trainings are without them")
        if Path(self.model, LANGUAGE_MODEL).is_dir():
            write_line("! the model's language model is not used: it was learnt from texts that are left out here")

    def run(self) -> list[Unseen] | None:
        """Train and score the folds that are not finished; return all utterances, or None if the user stopped it.

        Raises:
            U2UError: a training or a recognition fails.
        """
        state = self.state
        processes().wait_for_everyone()  # until all have read it
        if processes().is_main_process:
            state.save()
        for fold in self.folds:
            if fold.number in state.runs:
                if not checkpoints(self.folder(fold)):
                    continue  # it was cleaned before; a model that is there was kept on purpose
            elif not self._finish(fold):
                return None
            processes().wait_for_everyone()  # until all have looked
            if processes().is_main_process:
                self._clean(fold)
        return state.unseen

    def folder(self, fold: Fold) -> Path:
        return self.output_dir / f"fold_{fold.number}"

    def _finish(self, fold: Fold) -> bool:
        """Train a fold and recognise what it left out; return False if the user stopped it."""
        main = processes().is_main_process
        if main:
            hours = sum(self.rows[row]["duration"] for row in fold.left_out) / 3600
            write_line("")
            write_line(f"{fold.number}/{len(self.folds)}  without {', '.join(fold.names)} ({length(hours)})")
        run = self._trained(fold)
        if run is None:
            return False
        recognizer = Recognizer(self.folder(fold))
        unseen = recognise(recognizer, self.rows, fold)
        if self.visit:
            self.visit(recognizer, fold)
        if main:
            self.state.finish(fold, run, unseen)
        processes().wait_for_everyone()  # until nobody needs the model
        return True

    def _trained(self, fold: Fold) -> FoldRun | None:
        folder, begun = self.folder(fold), time.time()
        if (folder / _TRAINED).is_file():  # killed while it recognised
            return FoldRun(**json.loads((folder / _TRAINED).read_text(encoding="utf-8")))
        if processes().is_main_process:
            output_folder.claim(folder, "train.py")
        splits = DatasetDict(train=self.rows.select(fold.train), validation=self.rows.select(fold.validation))
        budget = duration(self.state.share_s) if self.state.share_s else ""
        args = self.training.arguments(folder, budget)
        try:
            trained = train(self.training.base_model, splits, self.source, args, begun=begun)
        except Stopped:
            return None
        run = FoldRun(trained.steps, round(trained.seconds, 1), trained.scores[MAIN])
        if processes().is_main_process:
            write_text(folder / _TRAINED, json.dumps(asdict(run)) + "\n")
        processes().wait_for_everyone()  # until the model is written
        gc.collect()  # a trainer and its parts refer to each other
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return run

    def _clean(self, fold: Fold) -> None:
        """Remove a finished fold's model, or its checkpoints alone if models are kept."""
        folder = self.folder(fold)
        if output_folder.made_by(folder) != "train.py":
            return
        folder_lock.release(folder)
        for path in checkpoints(folder).values() if self.asked.keep_models else [folder]:
            shutil.rmtree(path, ignore_errors=True)

    def _conditions(self) -> dict[str, Any]:
        """Return what must stay the same while a run is resumed, by the words of an error."""
        return {
            "dataset": digest({"all": self.rows}, (*UTTERANCE, "speaker")),
            "--leave_out": self.asked.leave_out,
            "--folds": [list(fold.names) for fold in self.folds],
            "base model": self.training.base_model,
            "train.yaml of the model": dict(self.training.settings),
            "--time_budget": self.asked.time_budget,
        }


def cross_validation(
    splits: DatasetDict,
    source: str,
    model: str,
    asked: LeaveOut,
    output_dir: Path,
    visit: Visit | None = None,
    visit_s: float = 0.0,
) -> CrossValidation:
    """Return what is to be left out of a prepared dataset.

    Args:
        source: the dataset's name, for messages.
        model: folder or Hub name of a trained model.
        visit, visit_s: see `CrossValidation`.

    Raises:
        U2UError: the dataset does not tell speakers or recordings apart or has only one, or the model's base is
            unknown.
    """
    training = training_of(model, asked.base_model)
    parts = [splits[name] for name in (*SPLITS, *sorted(splits.keys() - set(SPLITS))) if name in splits]
    rows = concatenate_datasets([part for part in parts if len(part)])
    if asked.leave_out not in rows.column_names:
        raise U2UError(f"{source}: has no column {asked.leave_out}: score its test split, without --leave_out")
    seconds = {name: sum(split["duration"]) for name, split in splits.items()}
    share_of_validation = seconds.get("validation", 0.0) / (sum(seconds.values()) or 1.0)
    names = [name or _NO_NAME for name in rows[asked.leave_out]]
    recordings = rows["recording"][:] if "recording" in rows.column_names else names
    sounds = [hashlib.sha256(item["bytes"]).hexdigest() for item in rows["audio"]]
    dealt = Rows(names, recordings, rows["duration"][:], sounds)
    folds = make_folds(dealt, asked.leave_out, asked.folds, share_of_validation)
    return CrossValidation(rows, folds, source, model, training, asked, output_dir, visit, visit_s)
