"""What a training in stages keeps of itself in its folder, and whether a run may begin there or be resumed."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Dataset

from u2u_hf import model_folder
from u2u_hf.evaluation.metrics import in_percent
from u2u_hf.records import U2UError
from u2u_hf.settings import duration
from u2u_hf.training.arguments import CtcTrainingArguments

FOLDER, RECORD = "stages", "stages.json"
FINISHED = "this run is finished; to train longer, or with other settings, give another --output_dir"


@dataclass(frozen=True)
class Stage:
    """A finished stage.

    Attributes:
        scores: of its model on validation; none of pre-training, which makes no recogniser.
        steps: optimizer steps.
        seconds: duration of the stage, with the finding of targets or texts.
        note: what else a user should know.
    """

    name: str
    scores: dict[str, float] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0
    note: str = ""

    def __str__(self) -> str:
        took = f"{self.steps:,} steps, {duration(max(1, round(self.seconds)))}" if self.steps else ""
        scored = f"validation {in_percent(self.scores)}" if self.scores else ""
        return f"{self.name}: {'; '.join(filter(None, (scored, took, self.note)))}"


def holds_stages(output_dir: Path) -> bool:
    """Return whether an output folder holds a run in stages, finished or not."""
    return (output_dir / FOLDER / RECORD).is_file()


def check(args: CtcTrainingArguments) -> None:
    """Raise U2UError unless these settings may begin or resume a run in the output folder: before any long work.

    Whether its recordings are the same is not known before their speech is found.
    """
    output_dir = Path(args.output_dir)
    if args.untranscribed:
        # A run that found no speech is a plain one, and may be resumed as such. It has a folder for the speech.
        if holds_stages(output_dir) or not (output_dir / FOLDER).is_dir():
            opened(output_dir / FOLDER, args)
    elif holds_stages(output_dir):
        raise U2UError(f"{output_dir}: holds a run with --untranscribed: give that too, or another --output_dir")


def opened(folder: Path, args: CtcTrainingArguments, speech: str = "") -> dict[str, Any]:
    """Return the record of a run, a new one if there is none.

    Args:
        speech: digest of all speech, if it is known. What is found of it is kept by the number of its row.

    Raises:
        U2UError: there is one, and it is finished or not to be resumed, or has another length or other speech.
    """
    length = args.budget_seconds or args.max_steps
    path = folder / RECORD
    if not path.is_file():
        if model_folder.checkpoints(folder.parent):
            raise U2UError(f"{folder.parent}: holds a run without --untranscribed: give another --output_dir")
        # kept_back: whether the last stage left something to later ones.
        new = {"length": length, "speech": speech, "checked": False, "kept_back": False}
        return new | {"refused": {}, "running": {}, "stages": []}
    record = json.loads(path.read_text(encoding="utf-8"))
    if not all((folder / row["name"]).is_dir() for row in record["stages"]):  # `tidy` has removed the stages' models
        raise U2UError(f"{args.output_dir}: {FINISHED}")
    if not args.resume:
        raise U2UError(f"{args.output_dir}: holds a run in stages: add --resume, or give another --output_dir")
    if record["length"] != length:
        raise U2UError(
            f"{args.output_dir}: its stages share another length: resume with the same --max_steps or "
            "--time_budget, or give another --output_dir"
        )
    if speech and record["speech"] != speech:
        raise U2UError(
            f"{args.output_dir}: the recordings or the dataset (--dataset, --doubts) have changed since it was begun: "
            "give another --output_dir"
        )
    # Earlier versions gave a part to every stage, and what a refused one left to one that went on from the plain one.
    return {"kept_back": bool(record["refused"])} | record


def digest(*parts: Dataset) -> str:
    """Return a digest of the rows: their recordings, durations and audio."""
    found = hashlib.sha256()
    for rows in parts:
        names = rows["recording"][:] if "recording" in rows.column_names else []
        found.update(json.dumps([names, rows["duration"][:]]).encode())
        for audio in rows["audio"]:
            found.update(hashlib.sha256(audio["bytes"]).digest())
    return found.hexdigest()


def tidy(output_dir: Path) -> None:
    """Remove what only a run that is resumed needs, and may be private: the stages' models, the speech, its texts."""
    if not (output_dir / FOLDER).is_dir():  # the output folder was copied without it
        return
    for path in (output_dir / FOLDER).iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != RECORD:
            path.unlink()
