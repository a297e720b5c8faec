"""A training in stages with speech that nobody has transcribed; validation decides which stages count.

1. plain: fine-tuned on the transcribed utterances alone, as without such speech.
2. pre-trained: the encoder is pre-trained further on all speech, then fine-tuned.
3. self-trained: the better of the two recognises the speech, and learns further from the transcribed utterances and
   what it is sure of. Not twice: on Mboshi a second round made validation and test worse (one run).

What is refused leaves its steps or time to the other stages. If these have ended by then, the best recogniser learns
further from the transcribed utterances (longer), so that nothing is lost but the time that the refusal took.

The stages share the run's steps or time. What has been done is in ``stages/stages.json``; a finished stage is not done
again, and one that was stopped resumes from its last checkpoint.
"""

from __future__ import annotations

import copy
import gc
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import psutil
import torch
from datasets import Dataset, DatasetDict, concatenate_datasets
from transformers import ProcessorMixin

from u2u_hf import model_folder, output_folder
from u2u_hf.data.processes import gathered, processes
from u2u_hf.evaluation.metrics import MAIN
from u2u_hf.files import replacing, write_text
from u2u_hf.progress_bar import write_line
from u2u_hf.training.arguments import FOR_PRETRAINING, FOR_SELF_TRAINING, CtcTrainingArguments
from u2u_hf.training.awake_clock import awake_clock
from u2u_hf.training.checkpoints import resume_point
from u2u_hf.training.pretraining import build_pretrainer, load_encoder, save_encoder
from u2u_hf.training.run import LEAST_SECONDS, Stopped, Trained
from u2u_hf.training.saving import remove_made_of_model, save_trained
from u2u_hf.training.self_training import look, pseudo_labels, with_pseudo_labels
from u2u_hf.training.stage_record import FOLDER, RECORD, Stage, digest, opened
from u2u_hf.training.trainer import CtcTrainer
from u2u_hf.training.trainer_setup import build_trainer

PLAIN, PRETRAINING, PRETRAINED, LONGER = "plain", "pretraining", "pre-trained", "longer"
SELF_TRAINED = "self-trained"
_HISTORY = "log_history.json"
# Parts of the steps or the time that the stages have; those of a stage that is left out are the others'.
_PARTS = {PLAIN: 3.0, PRETRAINING: 2.0, PRETRAINED: 3.0, SELF_TRAINED: 2.0, LONGER: 3.0}
# Learning rates of a stage that goes on from a trained recogniser, as a share of those of fine-tuning.
_RATES_AGAIN = 0.5
# Most of the time left that recognising speech takes, and most of a pre-training's that finding its targets takes: the
# rest is to learn from them.
_RECOGNITION, _TARGETS = 0.5, 0.5
_NO_TIME, _NO_TIME_AFTER = "too little time is left for it", "too little time is left to fine-tune after it"
# What each stage that can be refused belongs to: the choices of --untranscribed_for.
_USE = {PRETRAINING: FOR_PRETRAINING, PRETRAINED: FOR_PRETRAINING, SELF_TRAINED: FOR_SELF_TRAINING}


def train_in_stages(
    model_source: str, splits: DatasetDict, source: str, args: CtcTrainingArguments, speech: Dataset
) -> Trained:
    """Train in stages, and write the model that validation chooses into the output folder.

    Args:
        model_source: folder or Hub name of a model of one of the `FAMILIES`.
        splits: the prepared dataset, and `source` its name, for messages.
        speech: rows without texts, with ``audio`` and ``duration``.

    Raises:
        Stopped: the run was asked to stop before its end.
        U2UError: as `build_trainer`; or the folder holds a run of another length, or one that is not to be resumed.
    """
    run = _Run(model_source, splits, source, args, speech)
    plain = run.fine_tuned(PLAIN)
    run.check(plain)
    if encoder := run.pretrained():
        run.fine_tuned(PRETRAINED, encoder)
    run.self_trained(run.best())
    run.longer(run.best())
    return run.close()


class _Run:
    """The stages of one output folder."""

    def __init__(
        self, model_source: str, splits: DatasetDict, source: str, args: CtcTrainingArguments, speech: Dataset
    ):
        self._model_source, self._splits, self._source = model_source, splits, source
        self._args, self._speech = args, speech
        self._folder = Path(args.output_dir) / FOLDER
        self._main = processes().is_main_process
        self._begun = psutil.Process().create_time()  # of the stage; loading counts as part of this process's first one
        self._record = opened(self._folder, args, digest(splits["train"], speech))
        processes().wait_for_everyone()  # all have read it before it is written again
        self._pending = [PLAIN, *(name for name in _USE if self._is_wanted(name))]

    def _is_wanted(self, name: str) -> bool:
        return _USE[name] in self._args.untranscribed_for and not self._record["refused"].get(_USE[name])

    def done(self) -> list[Stage]:
        return [Stage(**row) for row in self._record["stages"]]

    def best(self) -> Stage:
        """Return the stage with the lowest error rate; of equal ones, the first."""
        return min((stage for stage in self.done() if stage.scores), key=_error_rate)

    def fine_tuned(self, name: str, encoder: Path | None = None) -> Stage:
        """Return the stage of this name, after it has been done if need be: the base model, fine-tuned.

        Args:
            encoder: weights to start from in place of the base model's.
        """
        if done := self._done(name):
            return done
        trainer, processor = build_trainer(self._model_source, self._splits, self._source, self._begin(name))
        if encoder:
            load_encoder(trainer.model, encoder)
        return self._recogniser(name, trainer, processor)

    def self_trained(self, teacher: Stage) -> None:
        """Do the stage of self-training, unless it has been done or is refused.

        Args:
            teacher: whose recogniser finds the texts, and learns further with them.
        """
        if not self._is_wanted(SELF_TRAINED) or self._done(SELF_TRAINED):
            return
        source, cache = self._folder / teacher.name, self._folder / "texts.json"
        _release()
        left = None if self._has_begun(SELF_TRAINED) else self._seconds_left()
        if not self._has_time(SELF_TRAINED):
            return
        seconds = None if left is None else _RECOGNITION * left
        found = pseudo_labels(source, self._speech, self._splits, self._args.seed, self._known(teacher), cache, seconds)
        self._refuse(FOR_SELF_TRAINING, found.refused)
        self._write()
        if not found.refused and self._has_time(SELF_TRAINED):
            mixed = with_pseudo_labels(self._splits["train"], self._speech, found.texts)
            self._continued(SELF_TRAINED, source, mixed, found.account)

    def _known(self, stage: Stage) -> Path:
        """Return the file of what a stage's recogniser makes of validation."""
        return self._folder / stage.name / "validation.json"

    def longer(self, best: Stage) -> None:
        """Let the best recogniser learn further from the transcribed utterances, if a refused stage leaves its part.

        Args:
            best: of the stages that have been done.
        """
        if self._done(LONGER):
            return
        left = self._seconds_left()
        enough = self._steps_left() >= 1 if left is None else left >= LEAST_SECONDS
        if self._has_begun(LONGER) or (self._record["kept_back"] and enough):
            self._continued(LONGER, self._folder / best.name, self._splits["train"])

    def _has_begun(self, name: str) -> bool:
        return self._record["running"].get("name") == name

    def _has_time(self, name: str) -> bool:
        """Return whether a stage has begun or enough time is left to begin it; if not, refuse what it belongs to."""
        left = None if self._has_begun(name) else self._seconds_left()
        if left is None or left >= LEAST_SECONDS:
            return True
        self._refuse(_USE[name], _NO_TIME_AFTER if name == PRETRAINED else _NO_TIME)
        self._write()
        return False

    def _steps_left(self) -> float:
        return self._record["length"] - sum(stage.steps for stage in self.done())

    def _seconds_left(self) -> float | None:
        """Return what is left of the time budget, by the process that has the least; None if there is no budget."""
        if not self._args.budget_seconds:
            return None
        spent = sum(stage.seconds for stage in self.done()) + awake_clock()() - self._begun
        return min(gathered([self._record["length"] - spent]))

    def _continued(self, name: str, source: Path, train: Dataset, note: str = "") -> Stage:
        """Return a stage that goes on from a stage's recogniser, after its training.

        Args:
            source: folder of the recogniser.
            train: what it learns from.
        """
        args = self._begin(name)
        if self._main and note:
            write_line(note)
        args.fresh_head, args.hold_encoder = False, 0.0
        args.learning_rate, args.head_learning_rate = (
            _RATES_AGAIN * rate for rate in (args.learning_rate, args.head_learning_rate)
        )
        splits = DatasetDict({**self._splits, "train": train})
        trainer, processor = build_trainer(str(source), splits, self._source, args)
        return self._recogniser(name, trainer, processor, note)

    def _recogniser(self, name: str, trainer: CtcTrainer, processor: ProcessorMixin, note: str = "") -> Stage:
        """Return a stage that makes a recogniser, after its training."""
        folder = self._folder / name
        self._train(trainer, folder)
        self._record.setdefault("rates", trainer.rates)
        stage = Stage(name, trainer.scores(), trainer.state.global_step, self._seconds(trainer), note)
        save_trained(trainer, processor, folder)
        if self._main:
            write_text(folder / _HISTORY, json.dumps(trainer.state.log_history))
        self._end(stage, folder)
        return stage

    def _done(self, name: str) -> Stage | None:
        """Return the stage of this name if it is finished."""
        found = next((stage for stage in self.done() if stage.name == name), None)
        if found:
            self._pending = [other for other in self._pending if other != name]
        return found

    def _refuse(self, use: str, reason: str) -> None:
        if reason and use in self._args.untranscribed_for:
            self._record["refused"][use] = reason
            if self._main:
                write_line(f"! no {use}: {reason}")
            self._pending = [name for name in self._pending if _USE.get(name) != use]

    def pretrained(self) -> Path | None:
        """Return the weights of the encoder after continued pre-training, which is done if need be.

        Returns:
            None if it is refused, or if too little time is left to fine-tune what it gives.
        """
        if not self._is_wanted(PRETRAINING):
            return None
        folder = self._folder / PRETRAINING
        weights = folder / "encoder.safetensors"
        if not self._done(PRETRAINING):
            if not self._has_time(PRETRAINING):
                return None
            args = self._begin(PRETRAINING)
            everything = _all_speech(self._splits["train"], self._speech)
            seconds = args.budget_seconds and _TARGETS * args.budget_seconds
            trainer = build_pretrainer(self._model_source, everything, args, folder / "targets.npz", seconds)
            if trainer is None:
                self._refuse(FOR_PRETRAINING, _NO_TIME)
                self._write()
                return None
            self._train(trainer, folder)
            save_encoder(trainer, weights)
            hours, of = (sum(rows["duration"]) / 3600 for rows in (trainer.train_dataset, everything))
            note = f"on {hours:.2f} hours of speech" + (f" of {of:.2f}" if f"{hours:.2f}" != f"{of:.2f}" else "")
            self._end(Stage(PRETRAINING, {}, trainer.state.global_step, self._seconds(trainer), note), folder)
        return weights if self._done(PRETRAINED) or self._has_time(PRETRAINED) else None

    def check(self, plain: Stage) -> None:
        """Refuse speech that is strange to the plain recogniser, and self-training if that is too weak for it."""
        if self._record["checked"]:
            return
        _release()
        found = look(self._folder / plain.name, self._speech, self._splits, self._args.seed, self._known(plain))
        self._record["checked"] = True
        self._refuse(FOR_PRETRAINING, found.strange)
        self._refuse(FOR_SELF_TRAINING, found.strange or found.weak)
        self._write()

    def close(self) -> Trained:
        """Write the chosen model into the output folder, and return what has been done."""
        best, output_dir = self.best(), Path(self._args.output_dir)
        if self._main:
            remove_made_of_model(output_dir)
            for path in (self._folder / best.name).iterdir():
                if path.is_file() and model_folder.belongs(path.name, model_folder.MODEL):
                    with replacing(output_dir / path.name) as temporary:
                        shutil.copyfile(path, temporary)
        history = json.loads((self._folder / best.name / _HISTORY).read_text(encoding="utf-8"))
        processes().wait_for_everyone()
        stages = self.done()
        steps, seconds = sum(stage.steps for stage in stages), sum(stage.seconds for stage in stages)
        refused = "".join(f" No {use}: {reason}." for use, reason in self._record["refused"].items())
        account = f"The stages: {'; '.join(map(str, stages))}.{refused} Validation chose {best.name}."
        if self._main:
            write_line(f"chosen by validation: {best.name}")
        return Trained(best.scores, steps, seconds, history, account)

    def _begin(self, name: str) -> CtcTrainingArguments:
        """Return the settings of a stage: its folder, and its part of the steps or the time that are left."""
        _release()
        if not self._has_begun(name):
            share = _PARTS[name] / sum(_PARTS[pending] for pending in {name, *self._pending})
            left, since = self._seconds_left(), awake_clock()() - self._begun
            # A stage's time counts from the end of the last one: what has been done since then (before the first one,
            # finding speech) is no stage's own, and taken from all.
            length = self._steps_left() * share if left is None else since + left * share
            self._record["running"] = {"name": name, "length": length}
            self._record["kept_back"] = any(pending != name for pending in self._pending)
            self._write()
        self._pending = [other for other in self._pending if other != name]
        args = copy.copy(self._args)
        args.output_dir = str(self._folder / name)
        for rate, value in self._record.get("rates", {}).items():  # as the first stage found them
            setattr(args, rate, value)
            args.given_rates = self._record["rates"]
        args.part_of_run = min(1.0, self._record["running"]["length"] / self._record["length"])
        if args.budget_seconds:
            args.budget_seconds = max(1.0, self._record["running"]["length"])
        else:
            args.max_steps = max(1, round(self._record["running"]["length"]))
        if self._main:
            output_folder.claim(Path(args.output_dir), "train.py")
            write_line(f"-- {name}")
        return args

    def _train(self, trainer: CtcTrainer, folder: Path) -> None:
        trainer.progress.begun = self._begun
        trainer.train(resume_point(folder, True, trainer.processing_class.tokenizer.get_vocab()))
        if trainer.progress.interrupted:
            raise Stopped(f"{folder.name}, step {trainer.state.global_step}")

    def _seconds(self, trainer: CtcTrainer) -> float:
        """Return the duration of a stage; what follows counts as part of the next one."""
        self._begun = awake_clock()()
        return trainer.progress.seconds

    def _end(self, stage: Stage, folder: Path) -> None:
        self._record["stages"].append(asdict(stage))
        self._record["running"] = {}
        self._write()
        if self._main:
            write_line(str(stage))
            for checkpoint in model_folder.checkpoints(folder).values():
                shutil.rmtree(checkpoint, ignore_errors=True)

    def _write(self) -> None:
        """Write the record of the main process, and let all others go on with it: times differ among processes."""
        path = self._folder / RECORD
        if self._main:
            write_text(path, json.dumps(self._record, indent=1, ensure_ascii=False) + "\n")
        processes().wait_for_everyone()
        self._record = json.loads(path.read_text(encoding="utf-8"))
        processes().wait_for_everyone()  # all have read before it is written again


def _release() -> None:
    """Release the memory of the last trainer or recogniser, which nothing holds any more but its own parts."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _error_rate(stage: Stage) -> float:
    return stage.scores[MAIN]


def _all_speech(train: Dataset, speech: Dataset) -> Dataset:
    columns = ["audio", "duration"]
    return concatenate_datasets([rows.select_columns(columns) for rows in (train, speech)])
